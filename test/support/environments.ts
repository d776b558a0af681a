import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { z } from 'zod';
import type { Environment } from '../../config/environment.js';
import { loadEnvironment } from '../../config/load.js';
import { planLock } from '../../config/lock.js';
import { EnvironmentSchema } from '../../config/schema.js';
import { App } from '../../constructs/tf.js';
import { promisesOf } from '../../stacks/promises.js';
import { RagStack, type RagStackProps } from '../../stacks/rag-stack.js';
import { type Resource, type Synthesised, view } from './synth.js';

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What stands for the bundled apps wherever their content does not matter. */
const BUNDLE = { context: '../../../dist/apps', hash: '000000000000' };

export type Yaml = z.input<typeof EnvironmentSchema>;

/**
 * The environment `dev` with other settings. Its lock keeps what dev's promises, and adds what is new.
 *
 * @param base `{ lock: undefined }` promises everything anew
 */
export function devWith(change: (yaml: Yaml) => void = () => {}, base: Pick<Environment, 'lock'> = dev()): Environment {
  const { name, file } = dev();
  const yaml = parse(readFileSync(join(ROOT, file), 'utf8')) as Yaml;
  change(yaml);
  const settings = EnvironmentSchema.parse(yaml);
  const environment = { name, file, settings };
  return { ...environment, lock: planLock({ ...environment, lock: base.lock }, promisesOf(settings, name)) };
}

const dev = (): Environment => loadEnvironment('dev', { cwd: ROOT });

/** Synthesise an environment as the app does. `before` gets the stack as soon as it is wired. */
export function synthesiseEnvironment(
  environment: Environment,
  before: (stack: RagStack) => void = () => {},
  props: RagStackProps = {},
): Synthesised {
  const outdir = mkdtempSync(join(tmpdir(), 'ragdock-test-'));
  try {
    const app = new App({ outdir });
    before(new RagStack(app, environment, { bundle: BUNDLE, ...props }));
    app.synth();
    const text = readFileSync(join(outdir, 'stacks', environment.name, 'cdk.tf.json'), 'utf8');
    return view(JSON.parse(text, withoutComments));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** Where every construct comes from is written under `//`; Terraform reads none of it. */
function withoutComments(key: string, value: unknown): unknown {
  return key === '//' ? undefined : value;
}

/** All resources by their address: `docker_container.postgres`. */
export function resourcesOf({ json }: Synthesised): ReadonlyMap<string, Resource> {
  return new Map(
    Object.entries<Record<string, Resource>>(json.resource).flatMap(([type, byId]) =>
      Object.entries(byId).map(([id, resource]) => [`${type}.${id}`, resource] as const),
    ),
  );
}

/** Addresses of the resources that are not the same in both, sorted. */
export function differences(one: Synthesised, other: Synthesised): readonly string[] {
  const [a, b] = [resourcesOf(one), resourcesOf(other)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((address) => JSON.stringify(a.get(address)) !== JSON.stringify(b.get(address)))
    .sort();
}
