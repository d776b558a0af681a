import { RunningExchange } from './exchange.js';
import type { Gate } from './gate.js';
import { WaitingExchanges, type WaitingLimits } from './history/waiting.js';
import type { ChatMessage, ExchangeOutcome, ExchangeSource, History, Llm, Passage, Retrieval, Usage } from './ports.js';
import type { PromptSettings } from './prompt.js';
import type { Retrieved } from './retrieve.js';

export type Component = 'retrieval' | 'embeddings' | 'history';

export interface PipelineSettings extends PromptSettings {
  /** @default - whatever was found is taken */
  readonly gate?: Gate | undefined;
  readonly noContext: 'refuse' | 'general';
  /** Longest time from the question to the last character, in milliseconds. */
  readonly totalMs: number;
  /** How many exchanges may wait while the history cannot be reached. @default WAITING_LIMITS */
  readonly waiting?: WaitingLimits | undefined;
}

/** What may wait where nothing else is said. */
export const WAITING_LIMITS: WaitingLimits = { exchanges: 1000, bytes: 16 * 1024 * 1024 };

export interface Question {
  readonly requestId: string;
  readonly message: string;
  readonly userName: string;
  readonly course: string;
  /** What was said before this question, the oldest first. @default - nothing */
  readonly history?: readonly ChatMessage[] | undefined;
}

/** How the model ended an answer. */
export interface Ending {
  /** @default - the model was not asked */
  readonly finishReason: string | undefined;
  /** @default - the model server does not count */
  readonly usage: Usage | undefined;
}

/** An answer whose first character is there, or that is a refusal. */
export interface Answer {
  /** Present when the question is saved; then a clean end of `text` means that the whole exchange is. */
  readonly exchangeId: string | undefined;
  readonly sources: readonly ExchangeSource[];
  readonly degraded: readonly Component[];
  readonly refused: boolean;
  /**
   * Milliseconds of the stages that are over: `embed`, which is a part of `retrieval`, `prompt` and `prefill`; and from
   * the question to the first character, `first_token`.
   */
  readonly timings: Readonly<Record<string, number>>;
  /** The text as it comes. Ends cleanly only when the model ended and the exchange is saved; throws otherwise. */
  readonly text: AsyncGenerator<string>;
  /** How the model ended; known once `text` has. */
  readonly ending: () => Ending;
  /** Aborts when the caller's signal does, and at the total deadline. */
  readonly signal: AbortSignal;
}

/** One question, over. */
export interface Summary extends ExchangeOutcome {
  readonly question: Question;
  readonly exchangeId: string;
  readonly failure: unknown;
}

/** Told what happens, for metrics and logs. */
export interface PipelineObserver {
  /** What each collection gave, and what of it counts as found: all, or nothing where the gate lets nothing pass. */
  retrieved(question: Question, retrieved: Retrieved, found: readonly Passage[]): void;
  degraded(question: Question, component: Component, cause: unknown): void;
  /** The first character is there, `ms` after the question. */
  began(question: Question, ms: number): void;
  ended(summary: Summary): void;
  /** The end of an exchange was saved, which took `ms`. */
  saved(exchangeId: string, ms: number): void;
  /** An exchange that ended could not be saved at once; that is tried again. */
  waits(exchangeId: string, cause: unknown): void;
  /** An exchange that ended could not be saved, and will not be. */
  lost(exchangeId: string, cause: unknown): void;
  /** An exchange that had waited for the history is saved. */
  savedLate(exchangeId: string): void;
}

export interface PipelineParts {
  readonly retrieval: Retrieval;
  readonly history: History;
  readonly llm: Llm;
  readonly settings: PipelineSettings;
  readonly observer: PipelineObserver;
}

/** What a question on its way works with. */
export interface ExchangeParts extends PipelineParts {
  readonly waiting: WaitingExchanges;
}

/** From a question to a streamed, saved answer. */
export class Pipeline {
  readonly #parts: ExchangeParts;
  /** Those that have not ended, or are being saved. */
  readonly #running = new Set<RunningExchange>();

  constructor(parts: PipelineParts) {
    const { history, settings, observer } = parts;
    const waiting = new WaitingExchanges(history, settings.waiting ?? WAITING_LIMITS, {
      saved: (id) => observer.savedLate(id),
      lost: (id, cause) => observer.lost(id, cause),
    });
    this.#parts = { ...parts, waiting };
  }

  /** Exchanges that wait for the history. */
  get waiting(): WaitingExchanges {
    return this.#parts.waiting;
  }

  /**
   * Resolves when the first character of the answer is there and the question is saved, or cannot be.
   * Rejects with `RagFailure`, or with the signal's reason when it aborts. From then on nothing of it goes on but
   * saving the exchange; `drain` waits for that.
   */
  async ask(question: Question, signal: AbortSignal): Promise<Answer> {
    const exchange = new RunningExchange(this.#parts, question, signal);
    this.#running.add(exchange);
    void exchange.settled.then(() => this.#running.delete(exchange));
    try {
      return await exchange.open();
    } catch (error) {
      exchange.fail(error);
      throw error;
    }
  }

  /**
   * Nothing of a user that was asked before is saved any more, and none of it is on its way to the history, when this
   * resolves; answers that are being given go on. What is in the history already is for the caller to remove after that.
   */
  async forget(userName: string): Promise<void> {
    const exchanges = [...this.#running].filter((exchange) => exchange.userName === userName);
    await Promise.all(exchanges.map((exchange) => exchange.forget()));
    await this.waiting.forget(userName);
  }

  /** Resolves when every exchange that has ended is saved or lost. Waits for the history as long as it takes. */
  async drain(): Promise<void> {
    await Promise.all([...this.#running].map(({ settled }) => settled));
    await this.waiting.drain();
  }
}
