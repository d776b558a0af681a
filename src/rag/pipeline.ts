import { RunningExchange } from './exchange.js';
import type { Gate } from './gate.js';
import type { ChatMessage, ExchangeOutcome, ExchangeSource, History, Llm, Retrieval } from './ports.js';
import type { PromptSettings } from './prompt.js';
import type { Retrieved } from './retrieve.js';

export type Component = 'retrieval' | 'embeddings' | 'history';

export interface PipelineSettings extends PromptSettings {
  /** @default - whatever was found is taken */
  readonly gate?: Gate | undefined;
  readonly noContext: 'refuse' | 'general';
  /** Longest time from the question to the last character, in milliseconds. */
  readonly totalMs: number;
}

export interface Question {
  readonly requestId: string;
  readonly message: string;
  readonly userName: string;
  readonly course: string;
  /** What was said before, oldest first. @default - nothing */
  readonly history?: readonly ChatMessage[] | undefined;
}

/** An answer whose first character is there, or that is a refusal. */
export interface Answer {
  /** Present when the question is saved; then a clean end of `text` means that the whole exchange is. */
  readonly exchangeId: string | undefined;
  readonly sources: readonly ExchangeSource[];
  readonly degraded: readonly Component[];
  readonly refused: boolean;
  /** Milliseconds of the stages that are over. */
  readonly timings: Readonly<Record<string, number>>;
  /** The text as it comes. Ends cleanly only when the model ended and the exchange is saved; throws otherwise. */
  readonly text: AsyncGenerator<string>;
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
  /** What each collection gave, before passages were chosen. */
  retrieved(question: Question, retrieved: Retrieved): void;
  degraded(question: Question, component: Component, cause: unknown): void;
  /** The first character is there, `ms` after the question. */
  began(question: Question, ms: number): void;
  ended(summary: Summary): void;
  /** An exchange that ended could not be saved. */
  lost(exchangeId: string, cause: unknown): void;
}

export interface PipelineParts {
  readonly retrieval: Retrieval;
  readonly history: History;
  readonly llm: Llm;
  readonly settings: PipelineSettings;
  readonly observer: PipelineObserver;
}

/** From a question to a streamed, saved answer. */
export class Pipeline {
  readonly #parts: PipelineParts;
  readonly #pending = new Set<Promise<unknown>>();

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the first character of the answer is there and the question is saved, or cannot be.
   * Rejects with `RagFailure`, or with the signal's reason when it aborts. From then on nothing of it goes on but
   * saving the exchange; `drain` waits for that.
   */
  async ask(question: Question, signal: AbortSignal): Promise<Answer> {
    const exchange = new RunningExchange(this.#parts, question, signal);
    this.#track(exchange.settled);
    try {
      return await exchange.open();
    } catch (error) {
      exchange.fail(error);
      throw error;
    }
  }

  /** Resolves when every exchange that has ended is saved or given up. */
  async drain(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }

  #track(work: Promise<unknown>): void {
    this.#pending.add(work);
    work.finally(() => this.#pending.delete(work)).catch(() => undefined);
  }
}
