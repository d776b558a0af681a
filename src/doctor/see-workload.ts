import type Docker from 'dockerode';
import type { ContainerInspectInfo } from 'dockerode';
import { filesVolumes, type Topology } from '../../constructs/engines/docker/index.js';
import { Job, Service, type Workload, Workload as WorkloadClass } from '../../constructs/model/index.js';
import {
  DcgmExporter,
  EmbeddingServer,
  LlamaCppServer,
  Postgres,
  Qdrant,
  RagApi,
  VllmServer,
} from '../../constructs/services/index.js';
import { statusOf } from '../operator/docker.js';
import { masked } from '../operator/masked.js';
import { type ContainerFacts, factsOf } from '../smoke/containers.js';
import type { SeenWorkload } from './evidence.js';
import { lastLog } from './last-log.js';
import type { Writer } from './log-causes.js';

/** Whose words the log of a service is read for. */
const SERVICES: readonly (readonly [new (...args: never[]) => Workload, Writer])[] = [
  [VllmServer, 'vllm'],
  [LlamaCppServer, 'llama.cpp'],
  [EmbeddingServer, 'embeddings'],
  [Qdrant, 'qdrant'],
  [Postgres, 'postgres'],
  [RagApi, 'rag-api'],
  [DcgmExporter, 'dcgm'],
];

/** And that of a job, by the command of the bundled apps. */
const JOBS: Readonly<Record<string, Writer>> = {
  'job-model': 'model-file-job',
  'job-hugging-face': 'model-job',
  'job-ownership': 'ownership-job',
  'job-postgres-roles': 'roles-job',
  'job-postgres-logins': 'roles-job',
  'job-qdrant-collections': 'collections-job',
};

const RECOVERY_MODE = /^QDRANT__STORAGE__RECOVERY_MODE=./;

/** How long after its start a service says how it has started, in milliseconds. */
const STARTING_MS = 2 * 60_000;

export interface WorkloadLook {
  readonly docker: Docker;
  readonly topology: Topology;
  readonly secrets: readonly string[];
  /** Names of secrets whose values are not among these. */
  readonly unknownSecrets: ReadonlySet<string>;
  /** Names of all containers of the engine. */
  readonly containers: ReadonlySet<string>;
}

/** What the engine tells of one service or job: its container, its log, and the container with its files. */
export async function seeWorkload(workload: Workload, look: WorkloadLook): Promise<SeenWorkload> {
  const { docker, topology, secrets, unknownSecrets, containers } = look;
  const container = topology.containerName(workload);
  const found = await inspect(docker, container);
  const ours = found?.Config.Labels?.['ragdock.environment'] === topology.environment ? found : undefined;
  const facts = ours && factsOf({ RestartCount: ours.RestartCount, State: masked(ours.State, secrets) });
  // What ends again and again has its reason in the run before.
  const since = facts && facts.restartCount === 0 ? facts.startedAt : undefined;
  const writer = writerOf(workload);
  const filesContainer = filesVolumes(workload, topology).length > 0 ? `${container}-files` : undefined;
  return {
    id: workload.node.id,
    container,
    isJob: Job.isJob(workload),
    nameTaken: found !== undefined && ours === undefined,
    facts,
    log: facts ? await logOf(docker, container, writer, { facts, since, secrets }) : [],
    unmaskable: workload.secrets.map(({ name }) => name).filter((name) => unknownSecrets.has(name)),
    writer,
    ownershipJob: jobOf(workload, topology, '-ownership'),
    modelJob: jobOf(workload, topology, '-model'),
    hostModel: hostModelOf(workload),
    servers: workload.connections.flatMap(({ owner }) => (WorkloadClass.isWorkload(owner) ? [owner.node.id] : [])),
    probesServers: Service.isService(workload) && (workload.healthCheck.includesServers ?? false),
    wantsNvidiaRuntime: workload.gpus !== undefined && workload.gpus.handedOutBy !== 'device-request',
    filesContainer,
    filesContainerPresent: filesContainer !== undefined && containers.has(filesContainer),
    recoveryModeSet: (ours?.Config.Env ?? []).some((variable) => RECOVERY_MODE.test(variable)),
    restart: ours && Service.isService(workload) ? restartOf(workload, ours) : undefined,
  };
}

async function inspect(docker: Docker, container: string): Promise<ContainerInspectInfo | undefined> {
  try {
    return await docker.getContainer(container).inspect();
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** What was said at the start still holds, and may be thousands of lines ago. */
async function logOf(
  docker: Docker,
  container: string,
  writer: Writer | undefined,
  {
    facts,
    ...request
  }: { readonly facts: ContainerFacts; readonly since: string | undefined; readonly secrets: readonly string[] },
): Promise<SeenWorkload['log']> {
  const last = await lastLog(docker, container, request);
  if (writer !== 'qdrant' || facts.status !== 'running') return last;
  const from = Date.parse(facts.startedAt);
  const until = new Date(from + STARTING_MS).toISOString();
  const first = await lastLog(docker, container, { ...request, since: facts.startedAt, until });
  const [next = { at: Number.POSITIVE_INFINITY }] = last;
  return [...first.filter(({ at }) => at < next.at), ...last];
}

/** Container of the job that does something for a workload, or for the job that fetches its model; or its own. */
function jobOf({ node: { id } }: Workload, topology: Topology, ending: '-ownership' | '-model'): string | undefined {
  const names = id.endsWith(ending) ? [id] : [`${id}${ending}`, `${id}-model${ending}`];
  const job = topology.workloads.find((it) => Job.isJob(it) && names.includes(it.node.id));
  return job && topology.containerName(job);
}

/** The servers of models mount nothing else of the host. */
function hostModelOf(workload: Workload): SeenWorkload['hostModel'] {
  const [mount] = workload.hostMounts;
  if (!mount || !(workload instanceof VllmServer || workload instanceof EmbeddingServer)) return undefined;
  return { folder: mount.hostPath, path: mount.path, user: workload.user };
}

function writerOf(workload: Workload): Writer | undefined {
  const [command] = workload.command ?? [];
  if (Job.isJob(workload)) return typeof command === 'string' ? JOBS[command] : undefined;
  return SERVICES.find(([construct]) => workload instanceof construct)?.[1];
}

/** `docker update` changes it, and nothing else tells. */
function restartOf({ restart: wanted }: Service, { HostConfig }: ContainerInspectInfo): SeenWorkload['restart'] {
  const runs = HostConfig.RestartPolicy?.Name || 'no';
  return runs === wanted ? undefined : { runs, wanted };
}
