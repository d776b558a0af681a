import type { Construct } from 'constructs';
import type { Environment } from '../config/environment.js';
import { lockOf } from '../config/lock-file.js';
import { lowerToDocker } from '../constructs/engines/docker/index.js';
import { giveVolumesToTheirOwners } from '../constructs/services/index.js';
import { LocalBackend, TerraformStack } from '../constructs/tf.js';
import { RagServices } from './rag-services.js';

export interface RagStackProps {
  /** The bundled apps: build context as seen from the stack's output folder, and its hash. */
  readonly bundle: { readonly context: string; readonly hash: string };
  /**
   * The project's folder as seen from the stack's output folder.
   *
   * @default ../../.. (cdktf.out/stacks/NAME)
   */
  readonly project?: string;
}

/** One environment as a Terraform stack, named like the environment. */
export class RagStack extends TerraformStack {
  readonly services: RagServices;
  readonly #lower: () => void;
  #lowered = false;

  constructor(scope: Construct, environment: Environment, props: RagStackProps) {
    super(scope, environment.name);
    const { name, settings } = environment;
    const lock = lockOf(environment);
    const project = props.project ?? '../../..';
    // Always explicit: the default would be an absolute path of this machine.
    new LocalBackend(this, { path: `${project}/state/${name}.tfstate` });
    this.services = new RagServices(this, settings);
    this.#lower = () => {
      lowerToDocker(this, {
        environment: name,
        lock,
        host: settings.host.docker,
        bundle: props.bundle,
        secretsFolder: `${project}/.ragdock/secrets/${name}`,
      });
    };
  }

  /** Called by synth: whatever was connected or overridden until now is part of the stack. */
  override prepareStack(): void {
    if (!this.#lowered) {
      this.#lowered = true;
      giveVolumesToTheirOwners(this);
      this.#lower();
    }
    super.prepareStack();
  }
}
