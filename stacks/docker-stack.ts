import { join, relative, sep } from 'node:path';
import type { Construct } from 'constructs';
import { backendOf, type State } from '../config/state.js';
import { secretsInState } from '../config/state-secrets.js';
import { lowerToDocker } from '../constructs/engines/docker/index.js';
import { planNetworks, workloadsOf } from '../constructs/model/index.js';
import { giveVolumesToTheirOwners } from '../constructs/services/index.js';
import { App, TerraformStack } from '../constructs/tf.js';
import { readBundle } from '../src/apps/bundle.js';
import { throwProblems } from '../src/errors/problem.js';
import { subnetsOf } from './own-subnets.js';
import { StateBackend } from './state-backend.js';

/** All of it has a default, but for the subnets of the stack's networks. */
export interface DockerStackProps {
  /** Address of the engine: unix:///path, ssh://user@host or tcp://host:port. @default unix:///var/run/docker.sock */
  readonly host?: string;
  /**
   * Private range, such as 10.240.0.0/20, for the networks that `networks` does not name. The id of a network decides
   * which /29 of the range it gets, so that another network moves none.
   *
   * @default - none; a network that `networks` does not name is refused (MODEL_INVALID)
   */
  readonly networkPool?: string;
  /**
   * Subnets (/29) by the ids of networks: `<client>--<server>`, `<service>--published`, `<workload>--egress`.
   *
   * @default - all of `networkPool`
   */
  readonly networks?: Readonly<Record<string, string>>;
  /** Version in force, from 1 on, by the names of secrets. @default 1 for each */
  readonly secretVersions?: Readonly<Record<string, number>>;
  /** Digests (sha256:…) by the references of images. @default - images by their tags */
  readonly images?: Readonly<Record<string, string>>;
  /**
   * The bundled apps: build context as seen from the stack's output folder, and its hash.
   *
   * @default - those of the ragdock that is installed
   */
  readonly bundle?: { readonly context: string; readonly hash: string };
  /**
   * The project's folder as seen from the stack's output folder. Values of secrets are in its
   * .ragdock/secrets/ID/NAME.vN.
   *
   * @default ../../.. (cdktf.out/stacks/ID)
   */
  readonly project?: string;
  /**
   * Where Terraform keeps the state: a backend under Terraform's own name, and its settings. Paths of files in them are
   * relative to the project. Credentials do not belong here: Terraform takes them from environment variables.
   *
   * @default - the local file state/ID.tfstate of the project
   */
  readonly state?: { readonly backend: string; readonly config?: Readonly<Record<string, unknown>> };
  /** What to run where a value of a secret is missing; a deploy that finds none says it. @default npx ragdock secrets init ID */
  readonly secretsCommand?: string;
}

/**
 * A Terraform stack whose services and jobs become containers of one Docker engine when it is synthesised, so that
 * whatever was connected or overridden until then is part of it. Names on the engine start with the stack's id.
 */
export class DockerStack extends TerraformStack {
  readonly #lower: () => void;
  #lowered = false;

  /**
   * @throws RagdockError BUNDLE_MISSING or BUNDLE_STALE, when the bundled apps of a checkout are not built;
   * MODEL_INVALID when `state` holds a secret
   */
  constructor(scope: Construct, id: string, props: DockerStackProps = {}) {
    super(scope, id);
    const project = props.project ?? '../../..';
    const bundle = props.bundle ?? installedBundle(this);
    const state = props.state && { backend: props.state.backend, config: { ...props.state.config } };
    refuseSecrets(this, state);
    new StateBackend(this, backendOf(state, id, project));
    this.#lower = () => {
      lowerToDocker(this, {
        environment: id,
        lock: {
          networks: subnetsOf({
            stack: id,
            ids: planNetworks(this).map((network) => network.id),
            settled: props.networks ?? {},
            pool: props.networkPool,
          }),
          secrets: versionsOf(this, props.secretVersions ?? {}),
          images: { ...props.images },
        },
        host: props.host ?? 'unix:///var/run/docker.sock',
        bundle,
        secretsFolder: `${project}/.ragdock/secrets/${id}`,
        ...(props.secretsCommand !== undefined && { secretsCommand: props.secretsCommand }),
      });
    };
  }

  /**
   * Called by synth.
   *
   * @throws RagdockError MODEL_INVALID or ENGINE_UNSUPPORTED with the path of the construct
   */
  override prepareStack(): void {
    if (!this.#lowered) {
      this.#lowered = true;
      giveVolumesToTheirOwners(this);
      this.#lower();
    }
    super.prepareStack();
  }
}

function refuseSecrets(stack: TerraformStack, state: State | undefined): void {
  const problems = state === undefined ? [] : secretsInState(state);
  throwProblems(
    problems.map(({ path, message, remedy }) => ({
      code: 'MODEL_INVALID' as const,
      path: [stack.node.path, 'state', 'config', ...path].join('.'),
      message,
      remedy,
    })),
  );
}

/** Relative to the folder where Terraform runs: an absolute path would differ from machine to machine. */
function installedBundle(stack: TerraformStack): { readonly context: string; readonly hash: string } {
  const { context, hash } = readBundle();
  const output = join(App.of(stack).outdir, 'stacks', stack.node.id);
  return { context: relative(output, context).split(sep).join('/'), hash };
}

function versionsOf(stack: TerraformStack, given: Readonly<Record<string, number>>) {
  const names = workloadsOf(stack).flatMap((workload) => workload.secrets.map((secret) => secret.name));
  return Object.fromEntries(names.map((name) => [name, { version: given[name] ?? 1 }]));
}
