import type Docker from 'dockerode';
import type { ContainerInfo, ContainerInspectInfo } from 'dockerode';
import type { Environment } from '../../config/environment.js';
import { filesVolumes, type Topology } from '../../constructs/engines/docker/index.js';
import { publishedUrl } from '../../constructs/engines/docker/outputs.js';
import { ExternalServer, Job, Service, type Workload } from '../../constructs/model/index.js';
import { maskSecrets } from '../apps/mask-secrets.js';
import { statusOf } from '../operator/docker.js';
import { masked } from '../operator/masked.js';
import { SESSION_LABELS } from '../operator/session-plan.js';
import { notDeployed, wholeTopology } from '../operator/stack.js';
import { factsOf, judgeJob, judgeService } from '../smoke/containers.js';
import { type ExpectedContainer, expectedContainers } from './expected.js';
import { EngineImages } from './images.js';
import type { Drift, JobStatus, ServiceStatus, StatusReport } from './report.js';

/** Longest wait for what one container uses, in milliseconds: a status without it is better than none. */
const STATS_MS = 3000;

const LABELS = { environment: 'ragdock.environment', service: 'ragdock.service', spec: 'ragdock.spec' } as const;
const FILES_OF = 'ragdock.files-of';

export interface StatusOptions {
  /** Values that must not be in a report, as far as this machine knows them. */
  readonly secrets: readonly string[];
  /** Ends the waiting for an engine that does not answer. */
  readonly signal: AbortSignal;
  /** What synth gives now. @default - from the environment and the bundled apps that are built */
  readonly expected?: ReadonlyMap<string, ExpectedContainer>;
  /** Whether there is a report, too, when no service is there. @default false */
  readonly evenOfNothing?: boolean;
}

/**
 * What of an environment is on an engine, and how it is. Only reads.
 *
 * @throws RagdockError STACK_NOT_DEPLOYED when no service of it is there, unless a report is wanted even then
 */
export async function readStatus(
  docker: Docker,
  environment: Environment,
  options: StatusOptions,
): Promise<StatusReport> {
  return new StatusReader(docker, environment, options).read();
}

class StatusReader {
  readonly #docker: Docker;
  readonly #environment: Environment;
  readonly #topology: Topology;
  readonly #secrets: readonly string[];
  readonly #signal: AbortSignal;
  readonly #expected: ReadonlyMap<string, ExpectedContainer>;
  readonly #evenOfNothing: boolean;
  #images = new EngineImages([]);

  constructor(docker: Docker, environment: Environment, options: StatusOptions) {
    const { secrets, signal, expected, evenOfNothing = false } = options;
    this.#docker = docker;
    this.#environment = environment;
    this.#topology = wholeTopology(environment);
    this.#secrets = secrets;
    this.#signal = signal;
    this.#expected = expected ?? expectedContainers(environment);
    this.#evenOfNothing = evenOfNothing;
  }

  async read(): Promise<StatusReport> {
    const environment = this.#environment;
    const topology = this.#topology;
    const [containers, networks, { Volumes: volumes }, images, { SystemTime }] = await Promise.all([
      this.#docker.listContainers({ all: true }),
      this.#docker.listNetworks(),
      this.#docker.listVolumes(),
      this.#docker.listImages(),
      this.#docker.info() as Promise<{ SystemTime: string }>,
    ]);
    this.#signal.throwIfAborted();
    this.#images = new EngineImages(images);
    const services = topology.workloads.filter(Service.isService);
    const [ofServices, ofJobs] = await Promise.all([
      Promise.all(services.map((service) => this.#service(service))),
      Promise.all(topology.workloads.filter(Job.isJob).map((job) => this.#job(job))),
    ]);
    this.#signal.throwIfAborted();
    if (!this.#evenOfNothing && ofServices.every(({ image }) => image === undefined)) {
      throw notDeployed(
        topology,
        ofServices.map(({ container }) => `container ${container}`),
      );
    }
    const report = {
      services: ofServices,
      jobs: ofJobs,
      external: this.#external(),
      volumes: this.#volumes(new Set((volumes ?? []).map(({ Name }) => Name))),
      networks: this.#networks(new Set(networks.map(({ Name }) => Name))),
      leftOver: this.#leftOver(containers),
    };
    return {
      schema: 1,
      environment: environment.name,
      engine: environment.settings.host.docker,
      at: new Date(SystemTime).toISOString(),
      ok: [...ofServices, ...ofJobs].every(({ ok }) => ok),
      drifted:
        [...ofServices, ...ofJobs].some(({ drift }) => drift.length > 0) ||
        [...report.volumes, ...report.networks].some(({ present }) => !present) ||
        report.leftOver.length > 0,
      appsCompared: [...this.#expected.values()].every(({ image }) => image !== undefined),
      ...report,
    };
  }

  async #service(service: Service): Promise<ServiceStatus> {
    const container = this.#topology.containerName(service);
    const urls = service.published.map((published) => ({
      endpoint: published.endpoint.name,
      url: publishedUrl(published),
    }));
    const head = { name: service.node.id, container, urls };
    const found = await this.#inspect(container);
    if (!found || !this.#isOurs(found)) {
      const why = found ? 'the name is taken by a container that is none of this environment' : undefined;
      return {
        ...head,
        state: 'missing',
        ok: false,
        why: why ?? 'there is no such container',
        drift: [],
        networks: [],
      };
    }
    const facts = factsOf({ ...found, State: masked(found.State, this.#secrets) });
    const verdict = judgeService(facts, facts);
    const running = facts.status === 'running';
    const since = timeOf(running ? facts.startedAt : facts.finishedAt);
    const used = running ? await this.#memoryUsed(container) : undefined;
    return {
      ...head,
      state: running ? (facts.health?.status ?? 'running') : facts.status,
      ok: verdict.state === 'good',
      ...(verdict.state === 'good' ? {} : { why: this.#masked(verdict.came) }),
      ...(since === undefined ? {} : { since }),
      restarts: facts.restartCount,
      image: this.#image(service, found),
      memory: { limitBytes: found.HostConfig.Memory ?? 0, ...(used === undefined ? {} : { usedBytes: used }) },
      networks: networksOf(found),
      drift: this.#drift(service, found),
    };
  }

  async #job(job: Job): Promise<JobStatus> {
    const container = this.#topology.containerName(job);
    const head = { name: job.node.id, container };
    const found = await this.#inspect(container);
    // What somebody removed does no harm: the next deploy runs it again.
    if (!found || !this.#isOurs(found)) return { ...head, state: 'removed', ok: true, drift: [] };
    const facts = factsOf({ ...found, State: masked(found.State, this.#secrets) });
    const verdict = judgeJob(facts);
    const shared = { ...head, image: this.#image(job, found), drift: this.#drift(job, found) };
    if (verdict?.state === 'waiting') return { ...shared, state: 'running', ok: false, why: verdict.came };
    const endedAt = timeOf(facts.finishedAt);
    const startedAt = timeOf(facts.startedAt);
    const took = endedAt && startedAt ? Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)) / 1000 : undefined;
    return {
      ...shared,
      state: verdict?.state === 'failed' ? 'failed' : 'done',
      ok: verdict?.state !== 'failed',
      ...(verdict?.state === 'failed' ? { why: this.#masked(verdict.came) } : {}),
      exitCode: facts.exitCode,
      ...(endedAt === undefined ? {} : { endedAt }),
      ...(took === undefined ? {} : { seconds: took }),
    };
  }

  async #inspect(name: string): Promise<ContainerInspectInfo | undefined> {
    try {
      return await this.#docker.getContainer(name).inspect();
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  #isOurs({ Config: { Labels: labels } }: ContainerInspectInfo): boolean {
    return labels?.[LABELS.environment] === this.#environment.name;
  }

  #image(workload: Workload, { Image: id }: ContainerInspectInfo): { reference: string; id: string } {
    return { reference: this.#images.nameOf(id, this.#expected.get(workload.node.id)?.image), id };
  }

  #drift(workload: Workload, found: ContainerInspectInfo): Drift[] {
    const expected = this.#expected.get(workload.node.id);
    const drift: Drift[] = [];
    if (expected?.spec !== undefined && found.Config.Labels[LABELS.spec] !== expected.spec) {
      drift.push({ what: 'specification' });
    }
    if (expected?.image !== undefined && this.#images.idOf(expected.image) !== found.Image) {
      drift.push({ what: 'image', runs: this.#images.nameOf(found.Image, undefined), wanted: expected.image });
    }
    const bytes = workload.memoryMiB * 1024 * 1024;
    const { Memory: limit = 0 } = found.HostConfig;
    if (limit !== bytes) drift.push({ what: 'memory', runs: inMiB(limit), wanted: inMiB(bytes) });
    const joined = networksOf(found);
    const wanted = this.#topology
      .networksOf(workload)
      .map(({ name }) => name)
      .sort();
    if (joined.join() !== wanted.join()) {
      drift.push({ what: 'networks', runs: joined.join(', '), wanted: wanted.join(', ') });
    }
    return drift;
  }

  async #memoryUsed(container: string): Promise<number | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), STATS_MS);
    });
    // One look: without it the engine waits for a second one, to tell what the processor did in between.
    const asked = this.#docker
      .getContainer(container)
      .stats({ stream: false, 'one-shot': true })
      .then(({ memory_stats: memory }) => memoryUse(memory as MemoryStats))
      // It ended just now, or this engine does not tell; that it is gone is told by the next status.
      .catch(() => undefined);
    return Promise.race([asked, late]).finally(() => clearTimeout(timer));
  }

  #volumes(present: ReadonlySet<string>): StatusReport['volumes'] {
    const topology = this.#topology;
    const volumes = new Map<string, { kind: 'data' | 'files'; usedBy: string[] }>();
    const add = (name: string, kind: 'data' | 'files', { node }: Workload) => {
      const known = volumes.get(name) ?? { kind, usedBy: [] };
      known.usedBy.push(node.id);
      volumes.set(name, known);
    };
    for (const workload of topology.workloads) {
      for (const volume of workload.dataVolumes) add(topology.volumeName(volume), 'data', workload);
      for (const { name } of filesVolumes(workload, topology)) add(name, 'files', workload);
    }
    return [...volumes]
      .map(([name, volume]) => ({ name, ...volume, present: present.has(name) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #networks(present: ReadonlySet<string>): StatusReport['networks'] {
    return this.#topology.networks.map(({ name, kind, members }) => ({
      name,
      kind,
      members: members.map(({ node }) => node.id),
      present: present.has(name),
    }));
  }

  /** Each server outside the stack by the address that its clients ask; its metrics are a part of it. */
  #external(): StatusReport['external'] {
    const servers = new Map<string, { url: string; clients: Set<string> }>();
    for (const workload of this.#topology.workloads) {
      for (const endpoint of workload.connections) {
        const { owner } = endpoint;
        if (!ExternalServer.isExternalServer(owner)) continue;
        const [first = endpoint] = owner.endpoints;
        const known = servers.get(owner.node.id) ?? { url: this.#topology.urlOf(first), clients: new Set() };
        servers.set(owner.node.id, { ...known, clients: known.clients.add(workload.node.id) });
      }
    }
    return [...servers]
      .map(([name, { url, clients }]) => ({ name, url, clients: [...clients].sort() }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Sessions come and go, and files containers belong to the service that reads their files. */
  #leftOver(containers: readonly ContainerInfo[]): StatusReport['leftOver'] {
    const topology = this.#topology;
    const names = new Map(topology.workloads.map((workload) => [workload.node.id, topology.containerName(workload)]));
    const belongs = ({ Names, Labels }: ContainerInfo): boolean => {
      if (Labels[SESSION_LABELS.session] !== undefined) return true;
      const service = Labels[LABELS.service];
      const expected =
        service === undefined ? `${names.get(Labels[FILES_OF] ?? '')}-files` : (names.get(service) ?? '');
      return Names.some((name) => name.replace(/^\//, '') === expected);
    };
    return containers
      .filter((container) => container.Labels[LABELS.environment] === this.#environment.name && !belongs(container))
      .map(({ Names: [name = ''], State }) => ({ container: name.replace(/^\//, ''), state: State }))
      .sort((a, b) => (a.container < b.container ? -1 : 1));
  }

  /** A health check may print what it was given. */
  #masked(text: string): string {
    return maskSecrets(text, this.#secrets);
  }
}

interface MemoryStats {
  readonly usage?: number;
  readonly stats?: Readonly<Record<string, number>>;
}

/** What the processes hold: the engine counts the page cache too, which is given back when memory gets short. */
function memoryUse({ usage, stats = {} }: MemoryStats): number | undefined {
  if (usage === undefined) return undefined;
  const cache = stats.total_inactive_file ?? stats.inactive_file ?? 0;
  return Math.max(0, usage - cache);
}

/** The engine writes the year 1 for what has not happened. */
function timeOf(text: string): string | undefined {
  const time = Date.parse(text);
  return Number.isNaN(time) || time <= 0 ? undefined : new Date(time).toISOString();
}

/** Those that a deploy decides: one on the host's network, or on none, is in a network of the engine's own. */
function networksOf({ NetworkSettings: { Networks } }: ContainerInspectInfo): string[] {
  return Object.keys(Networks ?? {})
    .filter((name) => name !== 'host' && name !== 'none')
    .sort();
}

const inMiB = (bytes: number): string => (bytes === 0 ? 'no limit' : `${Math.round(bytes / 1024 / 1024)} MiB`);
