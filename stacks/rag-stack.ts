import type { Construct } from 'constructs';
import type { Environment } from '../config/environment.js';
import { checkLock } from '../config/lock.js';
import { lockOf } from '../config/lock-file.js';
import { overlaps, parseRange } from '../config/subnets.js';
import { modelError } from '../constructs/model/index.js';
import { throwProblems } from '../src/errors/problem.js';
import { DockerStack, type DockerStackProps } from './docker-stack.js';
import { promisesOf } from './promises.js';
import { RagServices } from './rag-services.js';

/**
 * What the environment's files do not say. `networkPool`, `networks` and `secretVersions` are for what is added to the
 * stack in code: what the environment promises in its lock file stays as it is. `state` is the environment's unless it
 * is given here.
 */
export type RagStackProps = Pick<
  DockerStackProps,
  'networkPool' | 'networks' | 'secretVersions' | 'bundle' | 'project' | 'state'
>;

/** One environment as a Terraform stack, named like the environment. */
export class RagStack extends DockerStack {
  /** What the environment describes, for connections and overrides. */
  readonly services: RagServices;

  /**
   * @throws RagdockError LOCK_MISSING, LOCK_STALE or LOCK_PROMISE_BROKEN with everything in which the environment and its
   * lock file differ; MODEL_INVALID when `networkPool` overlaps the environment's `host.networkPool`
   */
  constructor(scope: Construct, environment: Environment, props: RagStackProps = {}) {
    const { name, settings } = environment;
    throwProblems(checkLock(environment, promisesOf(settings, name)));
    const { networks, secrets, images } = lockOf(environment);
    const versions = Object.entries(secrets).map(([secret, { version }]) => [secret, version] as const);
    const state = props.state ?? settings.state;
    super(scope, name, {
      ...props,
      ...(state && { state }),
      host: settings.host.docker,
      networks: { ...props.networks, ...networks },
      secretVersions: { ...props.secretVersions, ...Object.fromEntries(versions) },
      images,
      secretsCommand: `npx ragdock secrets ${settings.secrets.store === 'files' ? 'init' : 'fetch'} ${name}`,
    });
    // The lock file will promise the rest of the environment's range to connections that the YAML is still to make.
    if (props.networkPool && overlaps(parseRange(props.networkPool), parseRange(settings.host.networkPool))) {
      const message = `networkPool ${props.networkPool} overlaps host.networkPool ${settings.host.networkPool}`;
      throw modelError(this, message, 'choose a range beside it');
    }
    this.services = new RagServices(this, settings);
  }
}
