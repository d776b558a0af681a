import { RootConstruct } from 'constructs';
import type { EnginePromises } from '../../config/lock-schema.js';
import type { Settings } from '../../config/schema.js';
import { filesVolumes, Topology } from '../../constructs/engines/docker/index.js';
import { Job, type SecretRef, Service, type Workload } from '../../constructs/model/index.js';
import { secretsOf } from '../../stacks/promises.js';
import { RagServices } from '../../stacks/rag-services.js';
import { outageOf } from './outages.js';

/** What the deploy after a rotation does. Each list is in the order of ids. */
export interface RotationEffects {
  readonly secret: SecretRef;
  /** Ids of services that read the new version without being replaced. */
  readonly reread: readonly string[];
  /** Services that are replaced, with what is seen while each of them is away. */
  readonly replaced: readonly { readonly id: string; readonly meanwhile: string }[];
  /** Ids of jobs that run again. */
  readonly jobs: readonly string[];
  /** Whether PostgreSQL has two logins that take turns for it. */
  readonly inTurn: boolean;
}

/**
 * What a deploy does after the secret has got the next version. Nothing is looked up in a list of readers: the stack is
 * described with both versions, and what differs is replaced. Loads the whole model.
 *
 * @param lock promises the version in force before
 * @throws Error for a secret that the stack has not
 */
export function rotationEffects(
  settings: Settings,
  environment: string,
  lock: EnginePromises,
  name: string,
): RotationEffects {
  const services = new RagServices(new RootConstruct(), settings);
  const secret = secretsOf(services).find((candidate) => candidate.name === name);
  if (!secret) throw new Error(`the stack has no secret ${name}`);
  const version = (lock.secrets[name]?.version ?? 1) + 1;
  const before = new Topology(services, environment, lock);
  const after = new Topology(services, environment, { ...lock, secrets: { ...lock.secrets, [name]: { version } } });
  const differs = (workload: Workload) => specOf(workload, before) !== specOf(workload, after);
  const holds = (workload: Workload) => workload.secrets.some((held) => held.name === name);
  const running = before.workloads.filter(Service.isService);
  return {
    secret,
    reread: running.filter((service) => holds(service) && !differs(service)).map(({ node }) => node.id),
    replaced: running.filter(differs).map((service) => ({ id: service.node.id, meanwhile: outageOf(service) })),
    jobs: before.workloads
      .filter((workload) => Job.isJob(workload) && (holds(workload) || differs(workload)))
      .map(({ node }) => node.id),
    inTurn: before.workloads.some(({ endpoints }) =>
      endpoints.some(({ credential, loginsInTurn }) => credential?.name === name && loginsInTurn),
    ),
  };
}

/** Everything of a container that can name a version, and whose change replaces it. */
function specOf(workload: Workload, topology: Topology): string {
  const { entrypoint = [], command = [], environment } = workload;
  const health = Service.isService(workload) ? workload.healthCheck.command : [];
  return JSON.stringify([
    [...entrypoint, ...command, ...health].map((value) => topology.render(value, workload)),
    [...environment].map(([name, value]) => [name, topology.render(value, workload)]),
    // A volume's name changes with what is in it, where that replaces its readers.
    filesVolumes(workload, topology).map((volume) => volume.name),
  ]);
}
