import type Docker from 'dockerode';
import type { ContainerInfo } from 'dockerode';
import type { Environment } from '../../config/environment.js';
import { masked } from '../operator/masked.js';
import { SESSION_LABELS } from '../operator/session-plan.js';
import { wholeTopology } from '../operator/stack.js';
import { readStatus, type StatusOptions } from '../status/read.js';
import type { Evidence, SeenStack } from './evidence.js';
import { type EngineInfo, seeEngine } from './see-engine.js';
import { seeLock } from './see-lock.js';
import { missingNetworks } from './see-networks.js';
import { seePorts } from './see-ports.js';
import { seeState } from './see-state.js';
import { seeVolumes } from './see-volumes.js';
import { seeWorkload } from './see-workload.js';

/** After its deadline, how much longer a session counts as somebody's, in milliseconds. */
const SESSION_GRACE_MS = 60_000;

export interface CollectOptions {
  /** Values that must be in no evidence, as far as this machine knows them. */
  readonly secrets: readonly string[];
  /**
   * Names of secrets that it does not know; what a service that holds one of them wrote is judged, and not shown.
   *
   * @default - none
   */
  readonly unknownSecrets?: readonly string[];
  readonly signal: AbortSignal;
  /** Folder of the project, for Terraform's state. @default - the state is not looked at */
  readonly project?: string;
  /** What synth gives now. @default - from the environment and the bundled apps that are built */
  readonly expected?: StatusOptions['expected'];
}

/** What an engine tells of an environment: containers, logs, volumes, networks, ports, room. Only reads. */
export async function collectEvidence(
  docker: Docker,
  environment: Environment,
  options: CollectOptions,
): Promise<Evidence> {
  const { problems, environment: described } = seeLock(environment);
  const seen = described && (await seeStack(docker, described, options));
  options.signal.throwIfAborted();
  return {
    environment: environment.name,
    address: environment.settings.host.docker,
    lock: problems,
    ...(seen ? { seen } : {}),
  };
}

async function seeStack(
  docker: Docker,
  environment: Environment,
  { secrets, unknownSecrets = [], signal, project, expected }: CollectOptions,
): Promise<SeenStack> {
  const topology = wholeTopology(environment);
  const isLocal = environment.settings.host.docker.startsWith('unix:');
  const listContainers = () => docker.listContainers({ all: true });
  const [status, { Volumes: volumes }, containers, networks, info, { ApiVersion }] = await Promise.all([
    readStatus(docker, environment, { secrets, signal, evenOfNothing: true, ...(expected ? { expected } : {}) }),
    docker.listVolumes(),
    listContainers(),
    docker.listNetworks(),
    docker.info() as Promise<EngineInfo & Record<string, unknown>>,
    docker.version(),
  ]);
  const names = new Set(containers.flatMap(({ Names }) => Names.map((name) => name.replace(/^\//, ''))));
  const look = { docker, topology, secrets, unknownSecrets: new Set(unknownSecrets), containers: names };
  const [engine, workloads, seenVolumes, ports] = await Promise.all([
    seeEngine(info, ApiVersion, networks, isLocal),
    Promise.all(topology.workloads.map((workload) => seeWorkload(workload, look))),
    seeVolumes(topology, volumes ?? [], isLocal, info.DockerRootDir),
    seePorts(topology, { containers, listAgain: listContainers, isLocal }),
  ]);
  const state =
    project === undefined ? undefined : seeState(environment, project, containers, describedNames(workloads));
  return {
    engine,
    workloads,
    volumes: seenVolumes,
    networks: missingNetworks(topology, networks),
    ports,
    sessions: oldSessions(containers, environment.name, engine.now),
    state,
    status: masked(status, secrets),
  };
}

const describedNames = (workloads: SeenStack['workloads']): ReadonlySet<string> =>
  new Set(
    workloads.flatMap(({ container, filesContainer }) => [container, ...(filesContainer ? [filesContainer] : [])]),
  );

/** Names of sessions that nobody can be waiting for any more. */
function oldSessions(containers: readonly ContainerInfo[], environment: string, now: number): readonly string[] {
  return containers
    .filter(({ Labels, Created }) => {
      if (Labels[SESSION_LABELS.environment] !== environment || Labels[SESSION_LABELS.session] === undefined)
        return false;
      const lifeMs = Number(Labels[SESSION_LABELS.deadline] ?? 0) * 1000;
      return now > Created * 1000 + lifeMs + SESSION_GRACE_MS;
    })
    .map(({ Names: [name = ''] }) => name.replace(/^\//, ''));
}
