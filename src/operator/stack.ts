import { RootConstruct } from 'constructs';
import type Docker from 'dockerode';
import type { Environment } from '../../config/environment.js';
import { loadEnvironment } from '../../config/load.js';
import { checkLock } from '../../config/lock.js';
import { lockOf } from '../../config/lock-file.js';
import { Topology } from '../../constructs/engines/docker/index.js';
import { type ExternalServer, Workload } from '../../constructs/model/index.js';
import { giveVolumesToTheirOwners } from '../../constructs/services/index.js';
import { promisesOf } from '../../stacks/promises.js';
import { RagServices } from '../../stacks/rag-services.js';
import { RagdockError, throwProblems } from '../errors/problem.js';

/** What an environment file describes: its services, and their names and addresses on the engine. */
export interface DescribedStack {
  readonly environment: Environment;
  readonly services: RagServices;
  readonly topology: Topology;
}

/** Read an environment and build its model, without synthesising anything. */
export function describeStack(nameOrPath: string, cwd: string): DescribedStack {
  return stackOf(loadEnvironment(nameOrPath, { cwd }));
}

/** The model of an environment. Throws when its lock file is missing, or does not fit. */
export function stackOf(environment: Environment): DescribedStack {
  const lock = checkedLock(environment);
  const services = new RagServices(new RootConstruct(), environment.settings);
  return { environment, services, topology: new Topology(services, environment.name, lock) };
}

/**
 * Everything that a deploy puts on the engine: the services, and the jobs that synth adds for the volumes that they
 * have then.
 */
export function wholeTopology(environment: Environment): Topology {
  const lock = checkedLock(environment);
  const services = new RagServices(new RootConstruct(), environment.settings);
  giveVolumesToTheirOwners(services);
  return new Topology(services, environment.name, lock);
}

function checkedLock(environment: Environment): ReturnType<typeof lockOf> {
  const lock = lockOf(environment);
  throwProblems(checkLock(environment, promisesOf(environment.settings, environment.name)));
  return lock;
}

/** What is there on an engine, by name. */
export interface Inventory {
  readonly networks: ReadonlySet<string>;
  readonly volumes: ReadonlySet<string>;
  readonly containers: ReadonlyMap<string, { readonly image: string; readonly state: string }>;
}

export async function readInventory(docker: Docker): Promise<Inventory> {
  const [networks, { Volumes }, containers] = await Promise.all([
    docker.listNetworks(),
    docker.listVolumes(),
    docker.listContainers({ all: true }),
  ]);
  return {
    networks: new Set(networks.map((network) => network.Name)),
    // An engine without any volume says null.
    volumes: new Set((Volumes ?? []).map((volume) => volume.Name)),
    containers: new Map(
      containers.flatMap(({ Names, ImageID, State }) =>
        Names.map((name) => [name.replace(/^\//, ''), { image: ImageID, state: State }] as const),
      ),
    ),
  };
}

/** The environment is not on the engine, or not all of it: what is missing, by name. */
export function notDeployed(topology: Topology, missing: readonly string[]): RagdockError {
  return new RagdockError({
    code: 'STACK_NOT_DEPLOYED',
    message: `${topology.environment} is not deployed as its files say; missing: ${missing.join(', ')}`,
    remedy: `Run \`npx cdktf deploy ${topology.environment} --auto-approve --skip-provider-lock\`.`,
  });
}

/** Throws STACK_NOT_DEPLOYED unless the containers of these workloads run. What somebody else runs tells it when asked. */
export function requireRunning(
  topology: Topology,
  inventory: Inventory,
  servers: Iterable<Workload | ExternalServer>,
): void {
  const missing = [...new Set(servers)].filter(Workload.isWorkload).flatMap((workload) => {
    const name = topology.containerName(workload);
    const state = inventory.containers.get(name)?.state;
    if (state === 'running' || state === 'restarting') return [];
    return [`container ${name}${state === undefined ? '' : ` (it is there, but ${state})`}`];
  });
  if (missing.length > 0) throw notDeployed(topology, missing);
}

/**
 * Id of the image of the bundled apps as it is deployed, so that a session speaks the language of the version that
 * runs: the RAG API's, or that of another app while that one is missing.
 */
export function deployedAppsImage({ services, topology }: DescribedStack, inventory: Inventory): string {
  const apps = topology.workloads.filter((workload) => workload.image === 'bundled-apps');
  for (const workload of [services.api, ...apps]) {
    const image = inventory.containers.get(topology.containerName(workload))?.image;
    if (image !== undefined) return image;
  }
  throw notDeployed(topology, [`container ${topology.containerName(services.api)}`]);
}
