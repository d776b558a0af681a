import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { Service, type Workload } from '../../constructs/model/index.js';
import type { Bundle } from '../apps/bundle.js';
import { maskSecrets } from '../apps/mask-secrets.js';
import type { SmokeLevel } from '../apps/operator/smoke/level.js';
import type { CheckResult } from '../apps/operator/smoke/protocol.js';
import { READY } from '../apps/operator/smoke/runner.js';
import { RagdockError } from '../errors/problem.js';
import {
  type DescribedStack,
  deployedAppsImage,
  type Inventory,
  notDeployed,
  readInventory,
} from '../operator/stack.js';
import { brokenOffResult, endedEarly } from './broken-off.js';
import { checkBundle } from './bundle.js';
import { ContainerWatch } from './containers.js';
import { collectEvidence, type Diagnose } from './evidence.js';
import { reach, type SessionGroup } from './reach.js';
import { type Evidence, type NotAsked, Results, type SmokeReport } from './report.js';
import type { SessionWork } from './session.js';
import { SmokeSessions } from './sessions.js';
import { NO_OWN_COLLECTION, needsOf, ownCollection, targetsOf } from './targets.js';

/** Pause between two looks at the containers, in milliseconds. */
const LOOK_MS = 1000;

export interface SmokeOptions {
  /** Longest time for all checks together, in seconds. */
  readonly timeoutSeconds: number;
  /** How far to go. @default - all the way, or where no document can be brought in as far as the services */
  readonly level?: SmokeLevel;
  /** Asked in the place of one about a scratch document. @default - a document is brought in */
  readonly question?: string | undefined;
  /** The apps that a deploy would bring. @default - whether others run is not looked at */
  readonly bundle?: Pick<Bundle, 'hash'> | undefined;
  /** What a doctor says first of each of these services. @default - nobody is asked */
  readonly diagnose?: Diagnose;
  readonly signal: AbortSignal;
  /** Values that must not be in a report, as far as this machine knows them. */
  readonly secrets: readonly string[];
  /** Names of the secrets whose values it does not know. @default - none */
  readonly unknownSecrets?: ReadonlySet<string>;
  /** Told each result as it comes; a later one about the same check replaces it. */
  readonly onCheck: (result: CheckResult) => void;
  /** Told what is waited for, by service, whenever that changes. */
  readonly onWaiting: (waiting: ReadonlyMap<string, string>) => void;
  /** Told what was known when the run broke off, which has failed for that. @default - nobody is told */
  readonly onBrokenOff?: (report: SmokeReport) => void;
}

/**
 * Ask a running stack whether it answers: its containers from outside, then every service by its own protocol, and the
 * whole path, from inside. A failed check is a part of the report.
 *
 * @throws RagdockError USAGE for the level `path` where neither a document nor a question can go; STACK_NOT_DEPLOYED when
 *   nothing of it is there; SESSION_FAILED when it could not be asked
 */
export async function runSmoke(docker: Docker, stack: DescribedStack, options: SmokeOptions): Promise<SmokeReport> {
  return new SmokeRun(docker, stack, options).run();
}

class SmokeRun {
  readonly #docker: Docker;
  readonly #stack: DescribedStack;
  readonly #options: SmokeOptions;
  readonly #results = new Results();
  readonly #watch: ContainerWatch;
  readonly #waiting = new Map<string, string>();
  readonly #notAsked: NotAsked[] = [];
  /** Services that no network, or no key, leads to. */
  readonly #unreachable = new Set<string>();
  /** Those that ask from inside. @default - nothing is asked from there */
  #sessions?: SmokeSessions;
  readonly #brokenOff = new AbortController();
  /** Ends every wait of this side. */
  readonly #deadline: AbortSignal;

  constructor(docker: Docker, stack: DescribedStack, options: SmokeOptions) {
    this.#docker = docker;
    this.#stack = stack;
    this.#options = options;
    this.#watch = new ContainerWatch(docker, stack.topology, (result, own) => this.#add(result, own), {
      values: options.secrets,
      unknown: options.unknownSecrets ?? new Set(),
    });
    this.#deadline = AbortSignal.any([
      options.signal,
      this.#brokenOff.signal,
      AbortSignal.timeout(options.timeoutSeconds * 1000),
    ]);
  }

  async run(): Promise<SmokeReport> {
    const { environment, topology } = this.#stack;
    if (this.#isWayless) {
      if (this.#options.level === 'path') throw wayless();
      if (this.#options.level === undefined) this.#notAsked.push({ what: 'path', why: NO_OWN_COLLECTION });
    }
    const began = performance.now();
    const startedAt = new Date().toISOString();
    const inventory = await readInventory(this.#docker);
    const services = topology.workloads.filter(Service.isService);
    const names = services.map((service) => topology.containerName(service));
    if (!names.some((name) => inventory.containers.has(name))) {
      throw notDeployed(
        topology,
        names.map((name) => `container ${name}`),
      );
    }
    const failed = await this.#watch.look();
    const { bundle } = this.#options;
    const level = this.#level;
    if (bundle) {
      for (const result of await checkBundle(this.#docker, this.#stack, inventory, bundle)) this.#add(result);
    }
    const report = (evidence?: Evidence): SmokeReport =>
      this.#results.report(
        {
          environment: environment.name,
          level,
          startedAt,
          seconds: secondsSince(began),
          notAsked: this.#notAsked,
        },
        new Map(topology.workloads.map((workload) => [workload.node.id, needsOf(workload)])),
        evidence,
      );
    const groups = this.#reachable(inventory, failed);
    if (groups.length === 0) return report(await this.#fromOutside());
    try {
      return report(await this.#fromInside(inventory, groups, [...this.#unreachable, ...failed.keys()]));
    } catch (error) {
      if (!this.#options.signal.aborted) {
        this.#add(brokenOffResult(error, this.#options.secrets, secondsSince(began)), true);
        this.#options.onBrokenOff?.(report());
      }
      throw error;
    }
  }

  get #level(): SmokeLevel {
    return this.#options.level ?? (this.#isWayless ? 'service' : 'path');
  }

  /** Without a collection of ours there is nothing to bring a document into, and nobody has asked anything else. */
  get #isWayless(): boolean {
    return this.#options.question === undefined && ownCollection(this.#stack) === undefined;
  }

  /** Services that sessions can get to. Why they cannot get to another one is a result. */
  #reachable(inventory: Inventory, failed: ReadonlyMap<string, string>): readonly SessionGroup[] {
    const sources = targetsOf(this.#stack).filter(({ service }) => !failed.has(service.node.id));
    const { groups, unreachable, unserved } = reach(this.#stack.topology, sources, inventory);
    for (const [{ service }, came] of unreachable) {
      const { id } = service.node;
      this.#unreachable.add(id);
      this.#add({
        service: id,
        check: 'network and secrets',
        level: 'up',
        outcome: 'failed',
        seconds: 0,
        asked: 'what the engine has',
        expected: 'a network that leads to the service, and the volume with its credential',
        came,
      });
    }
    for (const { service } of unserved) {
      this.#notAsked.push({ what: service.node.id, why: 'nothing is connected to it, and no port leads there' });
    }
    return groups;
  }

  async #fromOutside(): Promise<Evidence> {
    await this.#settleContainers();
    return this.#evidence();
  }

  async #fromInside(
    inventory: Inventory,
    groups: readonly SessionGroup[],
    failed: readonly string[],
  ): Promise<Evidence> {
    const { question, signal, timeoutSeconds } = this.#options;
    const sessions = await SmokeSessions.start(this.#docker, this.#stack, {
      groups,
      image: deployedAppsImage(this.#stack, inventory),
      level: this.#level,
      timeoutSeconds,
      failed,
      question,
      // Also when this half breaks off: the other one is told to clean up behind itself then.
      signal: AbortSignal.any([signal, this.#brokenOff.signal]),
      onEvent: (event, from) => this.#hear(event, from),
    });
    this.#sessions = sessions;
    const talked = this.#talk(sessions);
    const ended = sessions.ended((outcome) => endedEarly(outcome, this.#results.staleApps));
    try {
      const [evidence] = await Promise.all([talked, ended]);
      return evidence;
    } catch (error) {
      // All halves come to their end first; which of them failed first is what is told.
      this.#brokenOff.abort(error);
      sessions.end();
      await Promise.allSettled([talked, sessions.over()]);
      throw error;
    }
  }

  /** The half of the conversation that this side leads. */
  async #talk(sessions: SmokeSessions): Promise<Evidence> {
    const asked = new AbortController();
    void sessions.asked.then(() => asked.abort());
    while (!asked.signal.aborted) {
      for (const [service, came] of await this.#watch.look()) sessions.tellFailed(service, came);
      this.#tellWaiting();
      await delay(LOOK_MS, undefined, { signal: asked.signal }).catch(() => undefined);
    }
    await this.#settleContainers();
    const evidence = await this.#evidence();
    sessions.end();
    return evidence;
  }

  /** Health checks have their own pace: wait for those whose service has not failed otherwise. */
  async #settleContainers(): Promise<void> {
    for (;;) {
      await this.#watch.look();
      const { failed } = this.#results;
      const hopeful = [...this.#watch.waiting.keys()].filter((id) => !failed.has(id) && !this.#leansOn(id, failed));
      this.#tellWaiting();
      if (hopeful.length === 0 || this.#deadline.aborted) break;
      await delay(LOOK_MS, undefined, { signal: this.#deadline }).catch(() => undefined);
    }
    this.#options.signal.throwIfAborted();
    this.#brokenOff.signal.throwIfAborted();
    this.#watch.giveUp();
  }

  #leansOn(id: string, failed: ReadonlySet<string>): boolean {
    const workload = this.#stack.topology.workloads.find(({ node }) => node.id === id);
    return workload !== undefined && [...needsOf(workload)].some((need) => failed.has(need));
  }

  async #evidence(): Promise<Evidence> {
    const sessions = this.#sessions;
    const { unknownSecrets = new Set() } = this.#options;
    // Of a log that may hold a secret which neither side knows there is no telling what it is.
    const canMask = ({ secrets }: Workload) =>
      secrets.every(({ name }) => !unknownSecrets.has(name) || sessions?.given(name) === true);
    const mask = sessions && ((text: string) => sessions.mask(text));
    const failed = [...this.#results.failed];
    return collectEvidence(this.#docker, this.#stack.topology, failed, { ...this.#options, mask, canMask });
  }

  #hear(event: Parameters<SessionWork['onEvent']>[0], from: number): void {
    if (event.event === 'waiting') {
      this.#waiting.set(event.service, maskSecrets(event.for, this.#options.secrets));
      this.#tellWaiting();
      return;
    }
    const { service, check, outcome, came = '' } = event.result;
    this.#add(event.result);
    // What one session found out spares the others their waiting.
    if (check === READY && outcome === 'failed') this.#sessions?.tellFailed(service, came, from);
  }

  #add(result: CheckResult, own = false): void {
    this.#results.add(result, own);
    this.#waiting.delete(result.service);
    this.#options.onCheck(result);
    this.#tellWaiting();
  }

  #tellWaiting(): void {
    this.#options.onWaiting(new Map([...this.#watch.waiting, ...this.#waiting]));
  }
}

const secondsSince = (began: number): number => Math.round(performance.now() - began) / 1000;

function wayless(): RagdockError {
  const remedy = 'Give `--question TEXT`, which the material answers, or leave out `--level`.';
  return new RagdockError({
    code: 'USAGE',
    path: '--level',
    message: `${NO_OWN_COLLECTION}, as the path takes`,
    remedy,
  });
}
