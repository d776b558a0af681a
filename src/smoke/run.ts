import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { Service, type Workload } from '../../constructs/model/index.js';
import type { Bundle } from '../apps/bundle.js';
import { maskSecrets } from '../apps/mask-secrets.js';
import type { SmokeLevel } from '../apps/operator/smoke/level.js';
import { type CheckResult, SmokeEvent, type SmokePlan } from '../apps/operator/smoke/protocol.js';
import { RagdockError } from '../errors/problem.js';
import { CommandQueue } from '../operator/command-queue.js';
import { parseEvent } from '../operator/events.js';
import { newRun, runSession, type SessionOutcome, sweepSessions } from '../operator/session.js';
import { SessionAccess } from '../operator/session-access.js';
import { planSession } from '../operator/session-plan.js';
import {
  type DescribedStack,
  deployedAppsImage,
  type Inventory,
  notDeployed,
  readInventory,
} from '../operator/stack.js';
import { checkBundle } from './bundle.js';
import { ContainerWatch } from './containers.js';
import { collectEvidence, type Diagnose } from './evidence.js';
import { type Evidence, Results, type SmokeReport } from './report.js';
import { needsOf, ownCollection, pathOf, type TargetSource, targetsOf } from './targets.js';

/** Pause between two looks at the containers, in milliseconds. */
const LOOK_MS = 1000;

/** Beyond the checks' own time: starting, and cleaning up what was cut off. In seconds. */
const SESSION_MARGIN_SECONDS = 60;
const CLEANUP_SECONDS = 20;

/** In the place of a service, where no service is to blame. */
const SESSION = 'ragdock';

/** Longest wait for the masked form of a text, in milliseconds. */
const MASK_MS = 10_000;

export interface SmokeOptions {
  /** Longest time for all checks together, in seconds. */
  readonly timeoutSeconds: number;
  /** How far to go. @default 'path' */
  readonly level?: SmokeLevel;
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
 * @throws RagdockError STACK_NOT_DEPLOYED when nothing of it is there; SESSION_FAILED when it could not be asked
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
  readonly #queue = new CommandQueue();
  readonly #waiting = new Map<string, string>();
  /** Services that no network, or no key, leads to. */
  readonly #unreachable = new Set<string>();
  /** Names of the secrets that the session was given, and takes out of texts. */
  #given: ReadonlySet<string> = new Set();
  readonly #masked = new Map<number, (text: string) => void>();
  readonly #brokenOff = new AbortController();
  /** Ends every wait of this side. */
  readonly #deadline: AbortSignal;

  constructor(docker: Docker, stack: DescribedStack, options: SmokeOptions) {
    this.#docker = docker;
    this.#stack = stack;
    this.#options = options;
    const report = (result: CheckResult, own: boolean) => {
      // What a probe prints may be an address with a password in it.
      const { came } = result;
      this.#add(came === undefined ? result : { ...result, came: maskSecrets(came, options.secrets) }, own);
    };
    this.#watch = new ContainerWatch(docker, stack.topology, report);
    this.#deadline = AbortSignal.any([
      options.signal,
      this.#brokenOff.signal,
      AbortSignal.timeout(options.timeoutSeconds * 1000),
    ]);
  }

  async run(): Promise<SmokeReport> {
    const { environment, topology } = this.#stack;
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
        { environment: environment.name, level, startedAt, seconds: secondsSince(began) },
        new Map(topology.workloads.map((workload) => [workload.node.id, needsOf(workload)])),
        evidence,
      );
    const targets = this.#reachable(inventory, failed);
    if (targets.length === 0) return report(await this.#fromOutside());
    try {
      return report(await this.#fromInside(inventory, targets, [...this.#unreachable, ...failed.keys()]));
    } catch (error) {
      if (!this.#options.signal.aborted) {
        this.#add(sessionFailed(error, this.#options.secrets, secondsSince(began)), true);
        this.#options.onBrokenOff?.(report());
      }
      throw error;
    }
  }

  /** Without a collection of ours there is nothing to bring a document into. */
  get #level(): SmokeLevel {
    const { level = 'path' } = this.#options;
    return level === 'path' && ownCollection(this.#stack) === undefined ? 'service' : level;
  }

  /** Services that a session can get to. Why it cannot get to another one is a result. */
  #reachable(inventory: Inventory, failed: ReadonlyMap<string, string>): readonly TargetSource[] {
    return targetsOf(this.#stack).filter(({ service, endpoints }) => {
      const { id } = service.node;
      if (failed.has(id)) return false;
      try {
        new SessionAccess(this.#stack.topology, endpoints, inventory);
        return true;
      } catch (error) {
        if (!(error instanceof RagdockError)) throw error;
        const came = error.problems.map(({ message }) => message).join('; ');
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
        return false;
      }
    });
  }

  async #fromOutside(): Promise<Evidence> {
    await this.#settleContainers();
    return this.#evidence();
  }

  async #fromInside(
    inventory: Inventory,
    sources: readonly TargetSource[],
    failed: readonly string[],
  ): Promise<Evidence> {
    const { topology } = this.#stack;
    const access = new SessionAccess(
      topology,
      sources.flatMap(({ endpoints }) => endpoints),
      inventory,
    );
    this.#given = access.given;
    const run = newRun();
    const deadlineSeconds = this.#options.timeoutSeconds + SESSION_MARGIN_SECONDS;
    const needs = {
      purpose: 'smoke',
      command: ['operator-smoke'],
      connections: [],
      deadlineSeconds,
      memoryMiB: 256,
    } as const;
    const plan = planSession(topology, needs, access, { image: deployedAppsImage(this.#stack, inventory), run });
    this.#queue.push({
      run,
      liveRuns: [...(await sweepSessions(this.#docker, topology.environment))],
      timeoutSeconds: this.#options.timeoutSeconds,
      level: this.#level,
      targets: sources.map(({ target }) => target(access)),
      failed: [...failed],
      path: pathOf(this.#stack),
    } satisfies SmokePlan);

    const asked = new AbortController();
    let done = false;
    const session = runSession(this.#docker, plan, {
      input: this.#queue,
      // Also when this half breaks off: the other one is told to clean up behind itself then.
      signal: AbortSignal.any([this.#options.signal, this.#brokenOff.signal]),
      deadlineSeconds,
      cleanupSeconds: CLEANUP_SECONDS,
      onLine: (line) => {
        const event = parseEvent(SmokeEvent, line);
        if (event.event === 'done') {
          done = true;
          asked.abort();
        } else this.#hear(event);
      },
    }).finally(() => asked.abort());
    const talked = this.#talk(session, asked.signal);
    const ended = session.then((outcome) => {
      if (!done) throw brokenOff(outcome, this.#results);
    });
    try {
      const [evidence] = await Promise.all([talked, ended]);
      return evidence;
    } catch (error) {
      // Both halves come to their end first; which of them failed first is what is told.
      this.#brokenOff.abort(error);
      this.#queue.end();
      await Promise.allSettled([talked, ended]);
      throw error;
    }
  }

  /** The half of the conversation that this side leads. */
  async #talk(session: Promise<SessionOutcome>, asked: AbortSignal): Promise<Evidence> {
    while (!asked.aborted) {
      for (const [service, came] of await this.#watch.look()) this.#queue.push({ command: 'failed', service, came });
      this.#tellWaiting();
      await delay(LOOK_MS, undefined, { signal: asked }).catch(() => undefined);
    }
    await this.#settleContainers();
    const evidence = await this.#evidence(session);
    this.#queue.end();
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

  async #evidence(session?: Promise<SessionOutcome>): Promise<Evidence> {
    const mask = session && ((text: string) => this.#maskThere(text, session));
    const { unknownSecrets = new Set() } = this.#options;
    // Of a log that may hold a secret which neither side knows there is no telling what it is.
    const canMask = ({ secrets }: Workload) =>
      secrets.every(({ name }) => !unknownSecrets.has(name) || (mask && this.#given.has(name)));
    const failed = [...this.#results.failed];
    return collectEvidence(this.#docker, this.#stack.topology, failed, { ...this.#options, mask, canMask });
  }

  /** The text without the secrets that the session was given; undefined when it does not answer. */
  async #maskThere(text: string, session: Promise<SessionOutcome>): Promise<string | undefined> {
    const id = this.#masked.size;
    const reply = new Promise<string>((resolve) => this.#masked.set(id, resolve));
    this.#queue.push({ command: 'mask', id, text });
    const over = session.then(
      () => undefined,
      () => undefined,
    );
    return Promise.race([reply, over, delay(MASK_MS, undefined, { ref: false })]);
  }

  #hear(event: Exclude<SmokeEvent, { event: 'done' }>): void {
    if (event.event === 'check') this.#add(event.result);
    else if (event.event === 'masked') this.#masked.get(event.id)?.(event.text);
    else {
      this.#waiting.set(event.service, event.for);
      this.#tellWaiting();
    }
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

/** That the run broke off, beside what was known by then. */
function sessionFailed(error: unknown, secrets: readonly string[], seconds: number): CheckResult {
  const said = error instanceof RagdockError ? error.problems.map(({ message }) => message).join('; ') : String(error);
  return {
    service: SESSION,
    check: 'came to its end',
    level: 'up',
    outcome: 'failed',
    seconds,
    asked: 'the session that asks from inside',
    expected: 'a result of every check',
    came: maskSecrets(said, secrets),
  };
}

/** The session is of the apps that run; what is of another version may not understand what it is asked. */
function brokenOff({ exitCode, diagnostics }: SessionOutcome, results: Results): RagdockError {
  const said = diagnostics === '' ? '' : `: ${diagnostics}`;
  const stale = results.staleApps.join(', ');
  return new RagdockError({
    code: 'SESSION_FAILED',
    message: `the session ended with ${exitCode} before every check had its result${said}`,
    ...(stale === '' ? {} : { remedy: `Deploy: ${stale} run another version of the apps than this one would deploy.` }),
  });
}
