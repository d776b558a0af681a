import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { text } from './fields.js';

/** Where Terraform keeps the state of a stack: one of its backends, with that backend's own settings. */
export const StateSchema = z.strictObject({
  backend: text(/^[a-z][a-z0-9_]*$/, 'the name of a backend of Terraform, such as pg, s3, http or local').describe(
    'Backend of Terraform that keeps the state, under Terraform’s own name',
  ),
  config: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Settings of the backend under their own names; no credentials, which it takes from the environment'),
});

/** A backend and its settings. Nested settings are kept as they are. */
export type State = z.output<typeof StateSchema>;

/** Settings that hold paths of files, or lists of them, by backend. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  azurerm: ['client_certificate_path', 'client_id_file_path', 'client_secret_file_path', 'oidc_token_file_path'],
  consul: ['ca_file', 'cert_file', 'key_file'],
  gcs: ['credentials'],
  kubernetes: ['config_path', 'config_paths'],
  local: ['path', 'workspace_dir'],
  oss: ['shared_credentials_file'],
  s3: ['custom_ca_bundle', 'shared_config_files', 'shared_credentials_file', 'shared_credentials_files'],
};

/** The state of a stack that says nothing: a file of this machine. Always explicit, for Terraform's default is an absolute path. */
const localState = (name: string): State => ({ backend: 'local', config: { path: `state/${name}.tfstate` } });

/**
 * The backend as Terraform is to see it. Paths of files are relative to the project in `state`, and to the stack's
 * output folder in what is returned: Terraform would look there, and the folder is not kept.
 *
 * @param state undefined: a local file
 * @param name name of the environment, or id of the stack
 * @param project the project's folder as seen from the stack's output folder
 */
export function backendOf(state: State | undefined, name: string, project: string): State {
  const { backend, config } = withPath(state, name);
  const paths = PATHS[backend] ?? [];
  const relocate = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(relocate) : typeof value === 'string' ? fromOutput(value, project) : value;
  return {
    backend,
    config: Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key, paths.includes(key) ? relocate(value) : value]),
    ),
  };
}

/**
 * Absolute path of the state file of an environment; undefined when the state is elsewhere than in a file.
 *
 * @param project absolute path of the project's folder
 */
export function stateFileOf(state: State | undefined, name: string, project: string): string | undefined {
  const { backend, config } = withPath(state, name);
  return backend === 'local' ? resolve(project, String(config.path)) : undefined;
}

function withPath(state: State | undefined, name: string): State {
  if (state === undefined) return localState(name);
  if (state.backend !== 'local' || typeof state.config.path === 'string') return state;
  return { ...state, config: { ...state.config, ...localState(name).config } };
}

/** Terraform expands a leading `~` itself. */
const fromOutput = (path: string, project: string): string =>
  isAbsolute(path) || path.startsWith('~') || path === '' ? path : `${project}/${path}`;

/**
 * What to tell a pipeline about environments whose state is a file: its machine is gone after the run, and the next
 * one would know nothing of what it made.
 *
 * @param ci value of the variable CI, which the usual pipelines set
 */
export function localStateWarnings(
  environments: readonly { readonly name: string; readonly settings: { readonly state?: State | undefined } }[],
  ci: string | undefined,
): readonly string[] {
  if (ci === undefined || ci === '' || ci === 'false') return [];
  return environments
    .filter(({ name, settings }) => stateFileOf(settings.state, name, '/') !== undefined)
    .map(
      ({ name }) =>
        `warning  ${name}: CI is set, and the state is a file of this machine; a deploy from the next one would know nothing of it. Set \`state:\` in the environment file.\n`,
    );
}
