import { randomBytes } from 'node:crypto';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import { RagdockError } from '../errors/problem.js';
import { abortReason } from '../rag/failure.js';
import { demultiplex } from './demultiplex.js';
import { ANSWER_MS, inTime, statusOf } from './docker.js';
import { LineSplitter } from './lines.js';
import { SESSION_LABELS, type SessionPlan } from './session-plan.js';

/** How much of what a session says on stderr is kept for an error, in characters. */
const DIAGNOSTICS_CHARACTERS = 4000;

/** After its deadline, how much longer a container counts as somebody's, in seconds. */
const LEFTOVER_GRACE_SECONDS = 60;

/** How long a session may take to end after its output has ended, in milliseconds. */
const EXIT_MS = 10_000;

export interface SessionTalk {
  /** What the session reads; taken as fast as the session takes it. The input ends with it. */
  readonly input: AsyncIterable<string> | Iterable<string>;
  /** Told every line of stdout, in order; the next one waits for it. */
  readonly onLine: (line: string) => Promise<void> | void;
  /** Ends the session. */
  readonly signal: AbortSignal;
  /** Longest life in seconds; a session that lives longer fails. */
  readonly deadlineSeconds: number;
  /** After `signal`, how long the session may clean up behind itself before it is killed. @default 0 */
  readonly cleanupSeconds?: number;
}

export interface SessionOutcome {
  readonly exitCode: number;
  /** The end of what it wrote to stderr. */
  readonly diagnostics: string;
}

/** A name for one session, sortable by the time it began: `20261122t101500z-3f9a1c`. */
export function newRun(now = new Date()): string {
  const time = now
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:]/g, '')
    .toLowerCase();
  return `${time}-${randomBytes(3).toString('hex')}`;
}

/**
 * Run one session from its container's creation to its removal. The container is removed whatever happens: here when
 * this process is alive, by the engine when the session ends, and by the next session when both were cut off.
 *
 * @throws RagdockError SESSION_FAILED when it outlives its deadline; the signal's reason when that aborts
 */
export async function runSession(docker: Docker, plan: SessionPlan, talk: SessionTalk): Promise<SessionOutcome> {
  talk.signal.throwIfAborted();
  const container = await docker.createContainer(plan.container);
  const ending = new Ending(talk);
  try {
    for (const name of plan.furtherNetworks) {
      await docker.getNetwork(name).connect({ Container: container.id });
    }
    return await converse(container, talk, ending.signal);
  } catch (error) {
    if (!ending.signal.aborted) throw error;
    if (talk.cleanupSeconds) await stop(container, talk.cleanupSeconds);
    throw abortReason(ending.signal);
  } finally {
    ending.close();
    await remove(container);
  }
}

/**
 * Remove sessions of an environment that nobody can be waiting for any more: a command line that was killed between
 * making and starting its container leaves it behind.
 *
 * @returns the runs that are alive, or may be
 */
export async function sweepSessions(docker: Docker, environment: string): Promise<readonly string[]> {
  const [sessions, { SystemTime }] = await Promise.all([
    docker.listContainers({
      all: true,
      filters: { label: [`${SESSION_LABELS.environment}=${environment}`, SESSION_LABELS.session] },
    }),
    docker.info() as Promise<{ SystemTime: string }>,
  ]);
  // The engine's clock on both sides: this machine's may be another.
  const now = Date.parse(SystemTime) / 1000;
  const alive: string[] = [];
  for (const { Id, Created, Labels } of sessions) {
    const deadline = Number(Labels[SESSION_LABELS.deadline] ?? 0);
    if (now > Created + deadline + LEFTOVER_GRACE_SECONDS) await remove(docker.getContainer(Id));
    else alive.push(Labels[SESSION_LABELS.run] ?? '');
  }
  return alive;
}

/** Everything that can end a session from outside, as one signal. */
class Ending {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #terminate = (name: NodeJS.Signals) => {
    this.#controller.abort(failed(`the session was ended by ${name}`, 'Run the command again.'));
  };
  readonly #timer: NodeJS.Timeout;

  constructor({ signal, deadlineSeconds }: SessionTalk) {
    this.signal = AbortSignal.any([signal, this.#controller.signal]);
    // Ctrl-C is the command line's own signal; these two would end the process with the container alive.
    process.once('SIGTERM', this.#terminate);
    process.once('SIGHUP', this.#terminate);
    this.#timer = setTimeout(() => {
      this.#controller.abort(failed(`the session did not end within ${deadlineSeconds} s`));
    }, deadlineSeconds * 1000);
  }

  close(): void {
    clearTimeout(this.#timer);
    process.off('SIGTERM', this.#terminate);
    process.off('SIGHUP', this.#terminate);
  }
}

async function converse(container: Docker.Container, talk: SessionTalk, signal: AbortSignal): Promise<SessionOutcome> {
  // Two connections: a session that ends before it has read everything breaks the one, and its last words come on the
  // other.
  const output = (await container.attach({ stream: true, stdout: true, stderr: true })) as Duplex;
  const input = (await container.attach({ stream: true, stdin: true, hijack: true })) as Duplex;
  const hangUp = () => {
    output.destroy(abortReason(signal));
    input.destroy();
  };
  signal.addEventListener('abort', hangUp, { once: true });
  input.on('error', () => undefined);
  output.on('error', () => undefined);
  try {
    signal.throwIfAborted();
    // Asked for before the start: a container that removes itself could not be asked after its end.
    const exit = container.wait({ condition: 'next-exit' }) as Promise<{ StatusCode: number }>;
    exit.catch(() => undefined);
    await container.start();
    // What breaks on this way is told on the other one: by the session, by its end, or by the fault of the source.
    pipeline(Readable.from(faultsTo(output, talk.input)), input).catch(() => undefined);
    const diagnostics = await receive(output, talk.onLine);
    const { StatusCode } = await soon(exit, signal);
    return { exitCode: StatusCode, diagnostics };
  } finally {
    signal.removeEventListener('abort', hangUp);
    input.destroy();
    output.destroy();
  }
}

/** What the source gives. Its own faults end the other connection too; that nobody reads it any more is none of them. */
async function* faultsTo(output: Duplex, source: SessionTalk['input']): AsyncGenerator<string> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  for (;;) {
    let next: IteratorResult<string>;
    try {
      next = await iterator.next();
    } catch (error) {
      output.destroy(error as Error);
      throw error;
    }
    if (next.done) return;
    yield next.value;
  }
}

async function receive(stream: Duplex, onLine: SessionTalk['onLine']): Promise<string> {
  const lines = new LineSplitter();
  const decoder = new TextDecoder();
  let diagnostics = '';
  for await (const frame of demultiplex(stream)) {
    if (frame.stream === 'stderr') {
      diagnostics = (diagnostics + decoder.decode(frame.data, { stream: true })).slice(-DIAGNOSTICS_CHARACTERS);
    } else {
      for (const line of lines.push(frame.data)) await onLine(line);
    }
  }
  for (const line of lines.end()) await onLine(line);
  return diagnostics.trim();
}

async function soon<T>(exit: Promise<T>, signal: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(failed('the session closed its output and did not end')), EXIT_MS);
    signal.addEventListener('abort', () => reject(abortReason(signal)), { once: true });
  });
  return Promise.race([exit, late]).finally(() => clearTimeout(timer));
}

async function stop(container: Docker.Container, seconds: number): Promise<void> {
  const ask = (abortSignal: AbortSignal) => container.stop({ t: seconds, abortSignal });
  await inTime(ask, seconds * 1000 + ANSWER_MS).catch((error: unknown) => {
    // 304: it has ended already; 404: and is gone.
    if (![304, 404].includes(statusOf(error) ?? 0)) throw error;
  });
}

async function remove(container: Docker.Container): Promise<void> {
  await inTime((abortSignal) => container.remove({ force: true, abortSignal })).catch((error: unknown) => {
    // 404: it is gone; 409: it is on its way.
    if (![404, 409].includes(statusOf(error) ?? 0)) throw error;
  });
}

function failed(message: string, remedy?: string): RagdockError {
  return new RagdockError({ code: 'SESSION_FAILED', message, ...(remedy === undefined ? {} : { remedy }) });
}
