import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { ContainerInfo } from 'dockerode';
import { z } from 'zod';
import type { Environment } from '../../config/environment.js';
import { stateFileOf } from '../../config/state.js';
import type { SeenState } from './evidence.js';
import { isOutOfSight } from './see-engine.js';

const LABEL = 'ragdock.environment';

/** The part of a state file, version 4, that is read. */
const StateFile = z.object({
  version: z.literal(4),
  resources: z.array(
    z.object({
      type: z.string(),
      instances: z.array(
        z.object({
          status: z.string().optional(),
          attributes: z.object({ id: z.string().nullish(), name: z.string().nullish() }).nullish(),
        }),
      ),
    }),
  ),
});

/**
 * Where containers of the engine are not those of the state. Undefined where the state is elsewhere than in a file of
 * this machine, or nothing was deployed from here.
 *
 * @param project absolute path of the project's folder
 * @param containers all containers of the engine
 * @param described names of the containers that the environment is made of
 */
export function seeState(
  { name: environment, settings }: Environment,
  project: string,
  containers: readonly ContainerInfo[],
  described: ReadonlySet<string>,
): SeenState | undefined {
  const path = stateFileOf(settings.state, environment, project);
  const text = path === undefined ? '' : textOf(path);
  if (path === undefined || text === '') return undefined;
  const file = relative(project, path);
  const read = parsed(text);
  if (typeof read === 'string') return { file, damage: read, differing: [], tainted: [] };
  const known = read.resources
    .filter(({ type }) => type === 'docker_container')
    .flatMap(({ instances }) => instances)
    .map(({ status, attributes }) => ({ tainted: status === 'tainted', ...attributes }));
  const byName = new Map(known.map(({ name, id }) => [name ?? '', id ?? '']));
  return {
    file,
    tainted: known.flatMap(({ tainted, name }) => (tainted && name ? [name] : [])).sort(),
    differing: containers
      .map(({ Id, Names: [name = ''], Labels }) => ({ id: Id, name: name.replace(/^\//, ''), labels: Labels ?? {} }))
      // One that is no part of the environment is left over, and in no deploy's way.
      .filter(({ name, labels }) => byName.has(name) || (described.has(name) && labels[LABEL] === environment))
      .filter(({ name, id }) => byName.get(name) !== id)
      .map(({ name, id }) => ({ container: name, state: byName.get(name), engine: id }))
      .map(({ state, ...rest }) => (state === undefined ? rest : { ...rest, state })),
  };
}

/** Empty where there is none. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isOutOfSight(error)) return '';
    throw error;
  }
}

/** The state, or why it is none. The file itself is not quoted: it is full of settings. */
function parsed(text: string): z.output<typeof StateFile> | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return 'it is no JSON';
    throw error;
  }
  const state = StateFile.safeParse(value);
  return state.success ? state.data : `it is no state of version 4: ${state.error.issues[0]?.path.join('.')}`;
}
