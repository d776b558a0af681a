import { RagFailure } from '../failure.js';
import type { Arrivals } from './arrivals.js';

/** How long the end of a finished response may take before its connection is dropped, in milliseconds. */
const DRAIN_MS = 1000;

/**
 * One request to the server: the time that it may still be silent, and the means to end it. The clock runs between
 * `waits` and `came`, and stands still while a slow reader takes what has come.
 */
export class Upstream {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #abort = () => this.#controller.abort(this.#outer.reason);
  #allowedMs: number;
  #waitingSince: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerDue = 0;
  #released = false;

  /** @param allowedMs until the first sign of progress */
  constructor(outer: AbortSignal, allowedMs: number) {
    this.#outer = outer;
    this.#allowedMs = allowedMs;
    if (outer.aborted) this.#abort();
    else outer.addEventListener('abort', this.#abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From here on the server may be silent for this long. */
  allow(ms: number): void {
    this.#allowedMs = ms;
  }

  /** The server is waited for. A timer that is too early looks again, so that a token costs none of its own. */
  waits(): void {
    const now = performance.now();
    this.#waitingSince = now;
    if (this.#timer && this.#timerDue > now + this.#allowedMs) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    if (!this.#timer) this.#lookIn(this.#allowedMs);
  }

  /** Something came. */
  came(): void {
    if (this.#waitingSince === undefined) return;
    this.#allowedMs = Math.max(1, this.#allowedMs - (performance.now() - this.#waitingSince));
    this.#waitingSince = undefined;
  }

  /** The answer is complete: let the connection reach its end in the background, so that it can be used again. */
  release(rest: Arrivals): void {
    this.#released = true;
    const timer = setTimeout(() => this.#controller.abort(), DRAIN_MS);
    // A connection that breaks after the answer is complete concerns nobody.
    rest
      .drain()
      .catch(() => undefined)
      .finally(() => clearTimeout(timer));
  }

  /** Ends the request at once unless its answer was complete. */
  close(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#abort);
    if (!this.#released) this.#controller.abort();
  }

  #lookIn(ms: number): void {
    this.#timerDue = performance.now() + ms;
    this.#timer = setTimeout(() => this.#look(), ms);
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#waitingSince === undefined) return;
    const left = this.#allowedMs - (performance.now() - this.#waitingSince);
    if (left > 0) this.#lookIn(left);
    else this.#controller.abort(new RagFailure('llm-timeout', 'the model server was silent for too long'));
  }
}
