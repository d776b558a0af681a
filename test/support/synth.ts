import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Construct } from 'constructs';
import type { Lock } from '../../config/lock-schema.js';
import { type DockerEngineProps, lowerToDocker } from '../../constructs/engines/docker/index.js';
import { planNetworks, workloadsOf } from '../../constructs/model/index.js';
import { App, TerraformStack, Testing } from '../../constructs/tf.js';

/** A resource of the synthesised JSON: its arguments by name. */
// biome-ignore lint/suspicious/noExplicitAny: the JSON of a provider has no type
export type Resource = Record<string, any>;

export interface Synthesised {
  readonly json: Resource;
  /** Containers by their Terraform id. */
  readonly containers: Readonly<Record<string, Resource>>;
  readonly networks: Readonly<Record<string, Resource>>;
  readonly volumes: Readonly<Record<string, Resource>>;
  readonly images: Readonly<Record<string, Resource>>;
  /** A container by its Terraform id; fails when there is none. */
  container(id: string): Resource;
  /** What a files container carries: the text of a file, or the path of a secret's source, by path in the carrier. */
  files(id: string): Readonly<Record<string, string>>;
}

/** An app wants a folder, although nothing is written into it before it is asked to synthesise. */
const NOWHERE = join(tmpdir(), 'ragdock-test-app');
mkdirSync(join(NOWHERE, 'stacks'), { recursive: true });

/** A lock file that promises the workloads below `scope` what they need. */
export function lockFor(scope: Construct): Lock {
  const workloads = workloadsOf(scope);
  return {
    lock: 1,
    networks: Object.fromEntries(planNetworks(scope).map(({ id }, index) => [id, `10.99.${index}.0/29`])),
    volumes: {},
    secrets: Object.fromEntries(
      workloads.flatMap((workload) => workload.secrets.map((secret) => [secret.name, { version: 1 }])),
    ),
    postgres: { major: 15 },
    collections: {},
    images: {},
  };
}

/**
 * Build workloads in a stack, lower them, and hand back plain objects. The lock file promises what they need, but for
 * what `lock` says otherwise.
 */
export function synthesiseWorkloads(
  build: (stack: TerraformStack) => void,
  lock: Partial<Lock> = {},
  engine: Partial<DockerEngineProps> = {},
): Synthesised {
  const stack = new TerraformStack(new App({ outdir: NOWHERE }), 'test');
  build(stack);
  lowerToDocker(stack, {
    environment: 'test',
    lock: { ...lockFor(stack), ...lock },
    host: 'unix:///var/run/docker.sock',
    bundle: { context: '../../../dist/apps', hash: '0123456789ab' },
    secretsFolder: '../../../.ragdock/secrets/test',
    ...engine,
  });
  return view(JSON.parse(Testing.synth(stack, true)));
}

/** Value of a container's label. */
export function labelOf(container: Resource, name: string): string | undefined {
  return (container.labels as Resource[]).find(({ label }) => label === name)?.value;
}

/** The hash of what a container is; another one replaces it. */
export function specOf(container: Resource): string {
  const spec = labelOf(container, 'ragdock.spec');
  if (spec === undefined) throw new Error(`${container.name} has no label ragdock.spec`);
  return spec;
}

/** Look things up in a stack's JSON by id. */
export function view(json: Resource): Synthesised {
  const containers: Record<string, Resource> = json.resource?.docker_container ?? {};
  const container = (id: string): Resource => {
    const found = containers[id];
    if (!found) throw new Error(`no container '${id}' among ${Object.keys(containers).join(', ')}`);
    return found;
  };
  return {
    json,
    containers,
    networks: json.resource?.docker_network ?? {},
    volumes: json.resource?.docker_volume ?? {},
    images: json.resource?.docker_image ?? {},
    container,
    files: (id) =>
      Object.fromEntries(
        (container(id).upload as Resource[]).map((upload) => [
          upload.file,
          upload.content_base64 === undefined
            ? upload.source
            : Buffer.from(upload.content_base64, 'base64').toString('utf8'),
        ]),
      ),
  };
}
