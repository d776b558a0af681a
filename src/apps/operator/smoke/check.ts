import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../../../rag/failure.js';

/** What a check has to tell when it fails. */
export interface Finding {
  readonly asked: string;
  readonly expected: string;
  readonly came: string;
}

/** A check came to a verdict: not what was expected. */
export class CheckFailure extends Error {
  override readonly name = 'CheckFailure';
  /** Waiting cannot help: a key is refused, a collection was made otherwise. */
  readonly final: boolean;

  constructor(
    readonly finding: Finding,
    options: ErrorOptions & { readonly final?: boolean } = {},
  ) {
    super(finding.came, options);
    this.final = options.final ?? false;
  }
}

/** One thing that is looked at. Returns when it is right; throws, `CheckFailure` where it can say more, when not. */
export interface Check {
  readonly name: string;
  /** Longest time for it, in seconds. */
  readonly seconds: number;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/** What is asked of one service: first whether it is ready, again and again; then each check once, in order. */
export interface ServiceChecks {
  readonly id: string;
  readonly needs: readonly string[];
  /** One attempt. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  readonly checks: readonly Check[];
}

/** How long work that was told to stop may take to say how far it came, in milliseconds. */
const LAST_WORDS_MS = 200;

/**
 * Run `work`, but go on without it soon after the signal aborts: a library that ignores signals must not hold us up.
 * What the work finds at that moment says more than that the time is up.
 */
export async function withSignal<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let abort: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => {
    // Not `resolve` itself, which would be given the event.
    abort = () => resolve();
    signal.addEventListener('abort', abort, { once: true });
  });
  const working = work();
  try {
    const first = await Promise.race([working.then((value) => ({ value })), aborted]);
    if (first) return first.value;
    await Promise.race([working.catch(sayFinding), delay(LAST_WORDS_MS)]);
    throw signal.reason;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function sayFinding(error: unknown): void {
  if (error instanceof CheckFailure) throw error;
}

/** Any error of a check as a finding. `asked` and `expected` are for errors that bring none of their own. */
export function findingOf(error: unknown, { asked, expected }: Omit<Finding, 'came'>): Finding {
  if (error instanceof CheckFailure) return error.finding;
  return { asked, expected, came: describe(error) };
}

/** An error below the protocol, in the words of who reads the report. */
export function describe(error: unknown): string {
  // The code of a DOMException is a number from before it had names.
  const code = error instanceof DOMException ? error.name : codeOf(error);
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'the connection was refused: nothing listens there',
    ECONNRESET: 'the connection was reset',
    ENOTFOUND: 'the name is not known on the network: its container does not run, or no name server knows it',
    EAI_AGAIN: 'the name cannot be resolved: its container does not run, or no name server answers',
    EHOSTUNREACH: 'there is no way to the host',
    ENETUNREACH: 'there is no way to the network',
    UND_ERR_SOCKET: 'the connection broke',
    UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
    TimeoutError: 'nothing in time',
    AbortError: 'nothing in time',
  };
  const message = error instanceof Error ? error.message : String(error);
  return known[code] === undefined ? message : `${known[code]} (${code})`;
}
