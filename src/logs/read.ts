import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { ContainerInspectInfo } from 'dockerode';
import { statusOf } from '../operator/docker.js';
import type { LogLine } from './lines.js';
import { mergeByTime } from './merge.js';
import { Position } from './position.js';
import { linesOf, openLog, sinceOf } from './source.js';

/** Lines that are handed on together, at most. */
const BATCH = 500;

/** How long lines wait for earlier ones of other services when they are followed, in milliseconds. */
const GATHER_MS = 150;

/** Lines that may wait; then the services' logs do. */
const WAITING = 10_000;

/** Pause before a container that ended, or is not there, is looked for again, in milliseconds. */
const LOOK_MS = 1000;

/** A workload whose log is read. */
export interface LogTarget {
  readonly service: string;
  readonly container: string;
}

export interface LogOptions {
  readonly environment: string;
  /** From when on, in seconds since 1970 by the engine's clock. @default - from the first line */
  readonly since?: number | undefined;
  /** Last lines of each service that were written before. @default - all */
  readonly tail?: number | undefined;
  /** Whether to go on until `signal`. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Time of the engine when the reading begins, in seconds since 1970. */
  readonly now: number;
}

/** A target with what is known of its container. */
class Followed {
  id: string | undefined;
  readonly position = new Position();
  /** What the container was when its log had been read to the end. */
  seen: string | undefined;

  constructor(readonly target: LogTarget) {}
}

/** Targets that have a container of this environment. */
export async function presentTargets(
  docker: Docker,
  targets: readonly LogTarget[],
  environment: string,
): Promise<readonly LogTarget[]> {
  const found = await Promise.all(targets.map(({ container }) => inspect(docker, container, environment)));
  return targets.filter((_, index) => found[index] !== undefined);
}

/**
 * The logs of containers, merged by time, in batches. With `follow` it goes on with what comes, also when a container is
 * started again, or another one takes its place, until `signal`; then it ends, and throws nothing.
 */
export async function* readLogs(
  docker: Docker,
  targets: readonly LogTarget[],
  options: LogOptions,
): AsyncGenerator<readonly LogLine[]> {
  const { signal, follow } = options;
  const followed = targets.map((target) => new Followed(target));
  try {
    yield* history(docker, followed, options);
    if (follow) yield* future(docker, followed, options);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function* history(
  docker: Docker,
  followed: readonly Followed[],
  { environment, since, tail, signal }: LogOptions,
): AsyncGenerator<readonly LogLine[]> {
  const logs: AsyncGenerator<LogLine>[] = [];
  // One after the other: an sshd takes many connections, and not many at once.
  for (const it of followed) {
    const { service, container } = it.target;
    const found = await inspect(docker, container, environment);
    if (!found) continue;
    it.id = found.Id;
    const request = { since: since?.toFixed(3), tail, follow: false, signal };
    const stream = await orGone(openLog(docker, found.Id, request));
    if (stream) logs.push(noting(it.position, linesOf(service, stream)));
  }
  let batch: LogLine[] = [];
  for await (const line of mergeByTime(logs)) {
    batch.push(line);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function* future(
  docker: Docker,
  followed: readonly Followed[],
  options: LogOptions,
): AsyncGenerator<readonly LogLine[]> {
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const gathered = new Gathered(signal);
  let opened: Promise<unknown> = Promise.resolve();
  const followers = followed.map((it) => {
    const before = opened;
    const following = new Follower(docker, it, { ...options, signal }, gathered);
    opened = following.opened;
    return before.then(() => following.run());
  });
  Promise.all(followers).catch((error: unknown) => gathered.fail(error));
  try {
    for (;;) {
      const lines = await gathered.take();
      if (lines.length === 0) return;
      for (let at = 0; at < lines.length; at += BATCH) yield lines.slice(at, at + BATCH);
    }
  } finally {
    ended.abort();
    await Promise.allSettled(followers);
  }
}

/** Follows the containers of one name, one after the other. */
class Follower {
  /** Settled when it listens, or knows that there is nothing to listen to yet. */
  readonly opened: Promise<void>;
  #isOpen: () => void = () => undefined;

  constructor(
    readonly docker: Docker,
    readonly it: Followed,
    readonly options: LogOptions,
    readonly gathered: Gathered,
  ) {
    this.opened = new Promise((resolve) => {
      this.#isOpen = resolve;
    });
  }

  async run(): Promise<void> {
    const { signal, environment } = this.options;
    try {
      while (!signal.aborted) {
        const found = await inspect(this.docker, this.it.target.container, environment);
        if (found) await this.#read(found);
        this.#isOpen();
        await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#isOpen();
    }
  }

  async #read({ Id, State }: ContainerInspectInfo): Promise<void> {
    const { it, options } = this;
    // A container that was not there before, or took the place of another, is read from its first line.
    const since = Id === it.id ? it.position.time || options.now.toFixed(3) : undefined;
    if (Id !== it.id) it.position.reset();
    it.id = Id;
    const life = `${Id} ${State.Status} ${State.StartedAt} ${State.FinishedAt}`;
    if (life === it.seen && State.Status !== 'running') return;
    it.position.reopened();
    const request = { since: since?.includes('T') ? sinceOf(since) : since, follow: true, signal: options.signal };
    const stream = await orGone(openLog(this.docker, Id, request));
    this.#isOpen();
    if (!stream) return;
    for await (const line of linesOf(it.target.service, stream)) {
      if (it.position.isNew(line)) await this.gathered.add(line);
    }
    it.seen = life;
  }
}

/** Lines that came, until they are taken together in the order of their times. */
class Gathered {
  readonly #signal: AbortSignal;
  #lines: LogLine[] = [];
  #failure: { readonly error: unknown } | undefined;
  #came = signalOf();
  #taken = signalOf();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => {
      this.#came.resolve();
      this.#taken.resolve();
    });
  }

  async add(line: LogLine): Promise<void> {
    this.#lines.push(line);
    this.#came.resolve();
    if (this.#lines.length >= WAITING && !this.#signal.aborted) await this.#taken.promise;
  }

  fail(error: unknown): void {
    this.#failure = { error };
    this.#came.resolve();
  }

  /** What came, at least one line; nothing when the signal ended it. */
  async take(): Promise<readonly LogLine[]> {
    await this.#came.promise;
    if (!this.#failure) await delay(GATHER_MS, undefined, { signal: this.#signal }).catch(() => undefined);
    const lines = this.#lines;
    this.#lines = [];
    this.#taken.resolve();
    this.#taken = signalOf();
    if (!this.#failure && !this.#signal.aborted) this.#came = signalOf();
    // What had come before the fault is told first; the next call throws.
    if (lines.length === 0 && this.#failure) throw this.#failure.error;
    return lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  }
}

function signalOf(): { readonly promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

async function* noting(position: Position, lines: AsyncGenerator<LogLine>): AsyncGenerator<LogLine> {
  for await (const line of lines) if (position.isNew(line)) yield line;
}

/** A container of this environment by its name; another one is nobody's business, and its secrets are not known. */
async function inspect(
  docker: Docker,
  container: string,
  environment: string,
): Promise<ContainerInspectInfo | undefined> {
  const found = await orGone(docker.getContainer(container).inspect());
  return found?.Config.Labels?.['ragdock.environment'] === environment ? found : undefined;
}

/** Undefined when the container is not there, or on its way out (409). */
async function orGone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if ([404, 409].includes(statusOf(error) ?? 0)) return undefined;
    throw error;
  }
}
