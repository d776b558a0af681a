import { statfs } from 'node:fs/promises';
import type Docker from 'dockerode';
import type { ContainerInfo } from 'dockerode';
import type { Environment } from '../../config/environment.js';
import { filesVolumes, type Topology } from '../../constructs/engines/docker/index.js';
import { Job, Service, type Workload } from '../../constructs/model/index.js';
import {
  DcgmExporter,
  EmbeddingServer,
  HuggingFaceModel,
  LlamaCppServer,
  Postgres,
  Qdrant,
  VllmServer,
} from '../../constructs/services/index.js';
import { maskSecrets } from '../apps/operator/smoke/mask.js';
import { wholeTopology } from '../operator/stack.js';
import { inspectContainer } from '../smoke/containers.js';
import { readStatus } from '../status/read.js';
import type { Evidence, SeenEngine, SeenWorkload } from './evidence.js';
import { lastLog } from './last-log.js';
import type { Writer } from './log-causes.js';

const ENVIRONMENT = 'ragdock.environment';

/** Whose words a workload's log is read for. */
const WRITERS: readonly (readonly [new (...args: never[]) => Workload, Writer])[] = [
  [VllmServer, 'vllm'],
  [LlamaCppServer, 'llama.cpp'],
  [EmbeddingServer, 'embeddings'],
  [Qdrant, 'qdrant'],
  [Postgres, 'postgres'],
  [HuggingFaceModel, 'model-job'],
  [DcgmExporter, 'dcgm'],
];

export interface CollectOptions {
  /** Values that must be in no evidence, as far as this machine knows them. */
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * What an engine tells of an environment: containers, logs, volumes, networks, ports, room. Only reads.
 *
 * @throws RagdockError STACK_NOT_DEPLOYED when no service of it is there
 */
export async function collectEvidence(
  docker: Docker,
  environment: Environment,
  { secrets, signal }: CollectOptions,
): Promise<Evidence> {
  const topology = wholeTopology(environment);
  const [status, { Volumes: volumes }, containers] = await Promise.all([
    readStatus(docker, environment, { secrets, signal }),
    docker.listVolumes(),
    docker.listContainers({ all: true }),
  ]);
  const present = new Set((volumes ?? []).map(({ Name }) => Name));
  const [engine, workloads] = await Promise.all([
    seeEngine(docker, environment, topology, containers),
    Promise.all(topology.workloads.map((workload) => seeWorkload(docker, topology, workload, present, secrets))),
  ]);
  signal.throwIfAborted();
  return { environment: environment.name, engine, workloads, status };
}

async function seeWorkload(
  docker: Docker,
  topology: Topology,
  workload: Workload,
  volumes: ReadonlySet<string>,
  secrets: readonly string[],
): Promise<SeenWorkload> {
  const container = topology.containerName(workload);
  const facts = await inspectContainer(docker, container);
  const log = facts ? await lastLog(docker, container, facts.startedAt) : [];
  return {
    id: workload.node.id,
    container,
    isJob: Job.isJob(workload),
    facts,
    log: log.map((line) => maskSecrets(line, secrets)),
    writer: WRITERS.find(([construct]) => workload instanceof construct)?.[1],
    wantsNvidiaRuntime: workload.gpus !== undefined && workload.gpus.handedOutBy !== 'device-request',
    lostFiles: facts ? filesVolumes(workload, topology).flatMap(({ name }) => (volumes.has(name) ? [] : [name])) : [],
  };
}

async function seeEngine(
  docker: Docker,
  environment: Environment,
  topology: Topology,
  containers: readonly ContainerInfo[],
): Promise<SeenEngine> {
  const info = (await docker.info()) as {
    readonly ServerVersion: string;
    readonly DockerRootDir: string;
    readonly Runtimes?: Readonly<Record<string, unknown>>;
  };
  return {
    version: info.ServerVersion,
    runtimes: Object.keys(info.Runtimes ?? {}).sort(),
    disk: await roomAt(environment.settings.host.docker, info.DockerRootDir),
    portsTaken: portsTaken(environment.name, topology, containers),
  };
}

/** Room where the engine of this machine keeps its data; the disk of another machine is not seen from here. */
async function roomAt(address: string, folder: string): Promise<SeenEngine['disk']> {
  if (!address.startsWith('unix:')) return undefined;
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    // The folder belongs to root, or the engine runs in a virtual machine: no finding is better than a wrong one.
    return undefined;
  }
}

function portsTaken(
  environment: string,
  topology: Topology,
  containers: readonly ContainerInfo[],
): ReadonlyMap<number, string> {
  const wanted = new Set(
    topology.workloads.filter(Service.isService).flatMap(({ published }) => published.map(({ port }) => port)),
  );
  return new Map(
    containers
      .filter(({ Labels }) => Labels[ENVIRONMENT] !== environment)
      .flatMap(({ Names: [name = ''], Ports }) =>
        Ports.flatMap(({ PublicPort: port }) =>
          port !== undefined && wanted.has(port) ? [[port, name.replace(/^\//, '')] as const] : [],
        ),
      ),
  );
}
