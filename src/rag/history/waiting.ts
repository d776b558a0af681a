import { setTimeout as delay } from 'node:timers/promises';
import { RagFailure } from '../failure.js';
import type { ExchangeOutcome, History, NewExchange } from '../ports.js';

/** First and longest wait before the history is tried again, in milliseconds. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2000;

/** What an exchange takes beside its texts, roughly, in bytes. */
const OVERHEAD_BYTES = 1024;

/** How much may wait; whatever comes first. */
export interface WaitingLimits {
  readonly exchanges: number;
  readonly bytes: number;
}

/** Told what becomes of exchanges that had to wait. */
export interface WaitingObserver {
  saved(exchangeId: string): void;
  /** It is gone: it was pushed out by newer ones, or cannot be saved at all. */
  lost(exchangeId: string, cause: unknown): void;
}

interface Waiting {
  readonly exchange: NewExchange;
  readonly outcome: ExchangeOutcome;
  readonly bytes: number;
}

/**
 * Exchanges that have ended while the history could not be reached. They are written in the order in which they came
 * once it is back; when there are too many, the oldest goes.
 */
export class WaitingExchanges {
  readonly #history: History;
  readonly #limits: WaitingLimits;
  readonly #observer: WaitingObserver;
  readonly #stopping = new AbortController();
  #queue: Waiting[] = [];
  #bytes = 0;
  #writing: Promise<void> | undefined;
  /** What is on its way to the history at the moment. */
  #attempt: Promise<unknown> = Promise.resolve();

  constructor(history: History, limits: WaitingLimits, observer: WaitingObserver) {
    this.#history = history;
    this.#limits = limits;
    this.#observer = observer;
  }

  /** How many wait. */
  get size(): number {
    return this.#queue.length;
  }

  /** How much memory they take, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  add(exchange: NewExchange, outcome: ExchangeOutcome): void {
    const bytes = Buffer.byteLength(JSON.stringify([exchange, outcome])) + OVERHEAD_BYTES;
    this.#queue.push({ exchange, outcome, bytes });
    this.#bytes += bytes;
    const { exchanges, bytes: most } = this.#limits;
    for (let [oldest] = this.#queue; oldest && (this.size > exchanges || this.#bytes > most); [oldest] = this.#queue) {
      this.#remove(oldest);
      this.#observer.lost(oldest.exchange.id, new Error('too many exchanges wait for the history'));
    }
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Nothing of this user waits any more, and nothing is on its way to the history, when this resolves. */
  async forget(userName: string): Promise<void> {
    for (const one of this.#queue.filter(({ exchange }) => exchange.userName === userName)) this.#remove(one);
    await this.#attempt.catch(() => undefined);
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    await this.#writing;
  }

  /** What still waits is lost. */
  giveUp(): void {
    for (const one of [...this.#queue]) {
      this.#remove(one);
      this.#observer.lost(one.exchange.id, new Error('the service stopped before the history was back'));
    }
    this.#stopping.abort();
  }

  async #write(): Promise<void> {
    let waitMs = FIRST_WAIT_MS;
    for (let [next] = this.#queue; next; [next] = this.#queue) {
      const { exchange, outcome } = next;
      try {
        this.#attempt = this.#save(exchange, outcome);
        await this.#attempt;
        waitMs = FIRST_WAIT_MS;
        if (this.#remove(next)) this.#observer.saved(exchange.id);
      } catch (error) {
        if (error instanceof RagFailure) {
          await delay(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
          waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
        } else if (this.#remove(next)) this.#observer.lost(exchange.id, error);
      }
    }
  }

  async #save(exchange: NewExchange, outcome: ExchangeOutcome): Promise<void> {
    await this.#history.begin(exchange);
    await this.#history.finish(exchange.id, outcome);
  }

  /** False when it was gone already. */
  #remove(one: Waiting): boolean {
    const place = this.#queue.indexOf(one);
    if (place < 0) return false;
    this.#queue.splice(place, 1);
    this.#bytes -= one.bytes;
    return true;
  }
}
