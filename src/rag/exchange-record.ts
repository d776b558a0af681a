import { setImmediate as nextTurn } from 'node:timers/promises';
import { RagFailure } from './failure.js';
import type { ExchangeParts } from './pipeline.js';
import type { ExchangeOutcome, NewExchange } from './ports.js';
import { retry } from './retry.js';

/** Longest wait for the question to be saved before the answer begins without that, in milliseconds. */
const BEGIN_DEADLINE_MS = 2000;

/** How long the end of an answer is held back while PostgreSQL comes back, in milliseconds. */
const FINISH_DEADLINE_MS = 15_000;

/** What became of an exchange that ended; `forgotten` is kept nowhere, for its user was erased meanwhile. */
export type Saved = 'saved' | 'waiting' | 'forgotten';

/** What the history keeps of one exchange. Its question is on its way from the first moment on, beside the search. */
export class ExchangeRecord {
  readonly #parts: ExchangeParts;
  readonly #new: NewExchange;
  readonly #askedAt = new Date();
  readonly #started = performance.now();
  readonly #begun: Promise<void>;
  #announced = false;
  #forgotten = false;

  constructor(parts: ExchangeParts, exchange: NewExchange) {
    this.#parts = parts;
    this.#new = exchange;
    // What the question asks of others goes out first: the statement costs some 0.3 ms, for which it waits anyway then.
    this.#begun = nextTurn().then(() => parts.history.begin(exchange));
    // Looked at in `announce`; a question that fails before that has nobody else to handle it.
    this.#begun.catch(() => undefined);
  }

  get id(): string {
    return this.#new.id;
  }

  /** Whether the client is told that the exchange is saved, and therefore may not see a clean end without that. */
  get announced(): boolean {
    return this.#announced;
  }

  /** Waits for the question to be saved; rejects where that failed, or takes longer than `BEGIN_DEADLINE_MS`. */
  async announce(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const left = Math.max(0, BEGIN_DEADLINE_MS - (performance.now() - this.#started));
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`the question was not saved within ${BEGIN_DEADLINE_MS} ms`);
      timer = setTimeout(() => reject(error), left);
    });
    try {
      await Promise.race([this.#begun, late]);
      this.#announced = true;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Saves how the exchange ended, or has it wait for the history; rejects when it is lost. */
  async save(outcome: ExchangeOutcome): Promise<Saved> {
    const { history, waiting, observer } = this.#parts;
    const isTransient = (error: unknown) => error instanceof RagFailure;
    try {
      await this.#begun;
      // Nobody waits for the end of an answer that was not announced as saved.
      const deadlineMs = this.#announced ? FINISH_DEADLINE_MS : 0;
      const began = performance.now();
      await retry(async () => this.#forgotten || history.finish(this.id, outcome), { deadlineMs, isTransient });
      if (this.#forgotten) return 'forgotten';
      observer.saved(this.id, performance.now() - began);
      return 'saved';
    } catch (error) {
      if (this.#forgotten) return 'forgotten';
      if (!isTransient(error)) throw error;
      observer.waits(this.id, error);
      waiting.add({ ...this.#new, askedAt: this.#askedAt }, { ...outcome, finishedAt: new Date() });
      return 'waiting';
    }
  }

  /** Nothing of it is saved any more, and its beginning is on its way no longer, when this resolves; never rejects. */
  async forget(): Promise<void> {
    this.#forgotten = true;
    await this.#begun.catch(() => undefined);
  }
}
