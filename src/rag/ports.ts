/** A piece of a document as it was ingested, with the score that one search gave it. */
export interface Passage {
  readonly collection: string;
  /** Identity inside its collection; breaks ties between equal scores. */
  readonly id: string;
  readonly text: string;
  readonly source: string;
  readonly title: string;
  /** Path of headings above the text, outermost first, joined by ` > `; empty at the top of a document. */
  readonly heading: string;
  /** SHA-256 of heading and text; equal passages of several collections have the same one. */
  readonly contentHash: string;
  /** As the search gave it: of BM25, or of a fusion; comparable inside one collection and one search only. */
  readonly score: number;
  /** Whether `score` is of a fusion: it adds up ranks, and says nothing of how much was found. @default false */
  readonly isFused?: boolean | undefined;
  /** Cosine of the angle between the vectors of question and passage, -1 to 1. @default - no vectors were compared, or it was not among the closest */
  readonly similarity?: number | undefined;
}

/** What one collection answered: its best passages, or why there are none. */
export type CollectionResult = CollectionPassages | { readonly collection: string; readonly failure: Error };

export interface CollectionPassages {
  readonly collection: string;
  /** In any order, and more than count: which of equal scores are taken, and that none is a copy, is for the reader. */
  readonly passages: readonly Passage[];
  /** How many of them count at most, from 1. @default - all */
  readonly limit?: number | undefined;
}

/** What one search gave. */
export interface SearchResult {
  /** One result for each configured collection, in the configured order. */
  readonly collections: readonly CollectionResult[];
  /** Why no vectors were compared, though collections have them. @default - they were, or none has any */
  readonly vectorFailure?: Error | undefined;
  /** How long the question's vector took, in milliseconds. @default - none was asked for */
  readonly embedMs?: number | undefined;
}

/** Finds passages of one course. A collection that fails is a result, not a rejection. */
export interface Retrieval {
  /** Rejects only when `signal` aborts. @param query as it was asked, clean: each search spells it as its passages are */
  search(query: string, course: string, signal: AbortSignal): Promise<SearchResult>;
  /** Rejects unless the collections can be read with the credential at hand. */
  check(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export type ExchangeStatus = 'running' | 'complete' | 'aborted' | 'error';

/** A passage that the model was given; `number` is the one the prompt gave it, from 1. */
export interface ExchangeSource {
  readonly number: number;
  readonly collection: string;
  readonly source: string;
  readonly title: string;
  readonly heading: string;
  readonly score: number;
  readonly text: string;
  /** Whether the answer refers to it. @default - not known: the exchange is older than this field */
  readonly cited?: boolean | undefined;
}

/** What is known about an exchange before its answer begins. */
export interface NewExchange {
  readonly id: string;
  readonly requestId: string;
  readonly userName: string;
  readonly course: string;
  readonly question: string;
  readonly model: string;
  /** When it was asked, where it is saved later than that. @default - when it is saved */
  readonly askedAt?: Date | undefined;
}

/**
 * How an exchange ended. Times are milliseconds: of the stages `embed` (a part of `retrieval`), `retrieval`, `prompt`,
 * `prefill` and `generation`, as far as it came to them, and since the question arrived in `first_token` and `total`.
 */
export interface ExchangeOutcome {
  readonly status: Exclude<ExchangeStatus, 'running'>;
  readonly answer: string;
  /** True when the fixed refusal was given instead of an answer of the model. */
  readonly refused: boolean;
  readonly sources: readonly ExchangeSource[];
  readonly degraded: readonly string[];
  readonly timings: Readonly<Record<string, number>>;
  readonly finishReason?: string | undefined;
  readonly promptTokens?: number | undefined;
  readonly completionTokens?: number | undefined;
  readonly errorCode?: string | undefined;
  /** When it ended, where it is saved later than that. @default - when it is saved */
  readonly finishedAt?: Date | undefined;
}

/** A saved exchange. */
export interface Exchange extends Omit<NewExchange, 'askedAt'>, Omit<ExchangeOutcome, 'status'> {
  readonly status: ExchangeStatus;
  readonly createdAt: Date;
  readonly finishedAt: Date | undefined;
  /** What the user thought of it last. @default - nothing was said */
  readonly feedback?: Feedback | undefined;
}

export const FEEDBACK_VALUES = ['positive', 'negative'] as const;
export type FeedbackValue = (typeof FEEDBACK_VALUES)[number];

/** What a user thought of an answer. */
export interface Feedback {
  readonly value: FeedbackValue;
  readonly comment: string | undefined;
  readonly givenAt: Date;
}

/** Which exchanges of a user to list. */
export interface HistoryQuery {
  readonly userName: string;
  /** @default - of all courses */
  readonly course?: string | undefined;
  /** How many at most. */
  readonly limit: number;
  /** Only what is older than the exchange that this cursor was given with. @default - from the newest on */
  readonly before?: HistoryCursor | undefined;
}

/** A place in a list that is ordered by time and, inside one microsecond, by id. */
export interface HistoryCursor {
  /** Microseconds since 1970, in decimal. */
  readonly micros: string;
  readonly id: string;
}

export interface HistoryPage {
  /** The newest first. */
  readonly exchanges: readonly Exchange[];
  /** Where the next page begins. @default - there is none */
  readonly next: HistoryCursor | undefined;
}

/** Feedback that the collection of passages has not followed yet. */
export interface FeedbackToFollow {
  readonly exchangeId: string;
  readonly revision: number;
}

/** Keeps exchanges. What a method resolved for is durable: it survives the end of both processes. */
export interface History {
  begin(exchange: NewExchange): Promise<void>;
  /** Rejects when the exchange was never begun. May be repeated with the same outcome. */
  finish(id: string, outcome: ExchangeOutcome): Promise<void>;
  find(id: string): Promise<Exchange | undefined>;
  list(query: HistoryQuery): Promise<HistoryPage>;
  /** Keeps what a user thought, in place of what was said before; false when there is no such exchange. */
  rate(id: string, value: FeedbackValue, comment: string | undefined): Promise<boolean>;
  /**
   * Feedback that was not followed, `limit` of them at most: what takes something back first, and then the oldest. What is
   * said of an exchange that still runs is left for later: nobody knows yet how it ends.
   */
  toFollow(limit: number): Promise<readonly FeedbackToFollow[]>;
  /** Notes that a revision was followed. */
  followed(feedback: FeedbackToFollow): Promise<void>;
  /** Removes the exchanges of a user with what was said of them; gives the number of exchanges. */
  forget(userName: string): Promise<number>;
  /** Marks exchanges as aborted that began longer ago than `seconds` and never ended; gives their number. */
  abandon(seconds: number): Promise<number>;
  check(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** What a model says while it answers. `end` comes exactly once and last; without it the answer is not complete. */
export type LlmEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'end'; readonly finishReason: string; readonly usage: Usage | undefined };

/** What is asked of a model: the messages, and what they were laid out from, for an answerer that reads no prompts. */
export interface Prompt {
  readonly messages: readonly ChatMessage[];
  readonly question: string;
  /** The passages in the prompt; the first is number 1. */
  readonly passages: readonly Passage[];
}

/** What a model server says of itself: its context, and how many tokens a text has. */
export interface Tokenizer {
  /** Tokens of prompt and answer together that the server takes; undefined when it does not say in time. Never rejects. */
  contextTokens(): Promise<number | undefined>;
  /** Tokens of each text, in their order; undefined when the server cannot count, or not in time. Never rejects. */
  count(texts: readonly string[], signal: AbortSignal): Promise<readonly number[] | undefined>;
  /** The server refused what should have fitted: what it said of its context is asked for anew. */
  forget(): void;
}

export interface Llm {
  readonly model: string;
  /** @default - the setting and an estimate serve */
  readonly tokenizer?: Tokenizer | undefined;
  /** Streams one answer. Throws `RagFailure`; ends at once, upstream included, when `signal` aborts. */
  chat(prompt: Prompt, signal: AbortSignal): AsyncIterable<LlmEvent>;
  /** Rejects unless the server answers and lists the model. */
  check(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Makes vectors of texts. */
export interface Embedder {
  /** Name of the model, as collections remember it. */
  readonly model: string;
  /** Numbers in one vector. */
  readonly dimension: number;
  /** One vector for each text, in their order. Rejects with `EmbeddingError`, or with the reason of the signal. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly (readonly number[])[]>;
  close(): Promise<void>;
}

/** A secret that may be exchanged while the process runs. */
export interface Credential {
  current(): string;
  /** The one to show next, after the other side refused this one: read anew, unless somebody else has done that. */
  refresh(refused: string): Promise<string>;
}

/** A passage that is ready to be stored. */
export interface StoredPassage {
  /** A UUID that depends on course, source, position and content alone. */
  readonly id: string;
  readonly text: string;
  readonly source: string;
  readonly title: string;
  readonly heading: string;
  readonly course: string;
  readonly contentHash: string;
  readonly documentHash: string;
  /** Position in the document, or in the page or the pair of question and answer that it belongs to, from 0. */
  readonly chunk: number;
}

/** Identity of a document inside a collection. */
export interface DocumentKey {
  readonly course: string;
  readonly source: string;
}

/** Where ingested passages go: one collection. */
export interface PassageStore {
  /** Passages stored for a document: all of them, and those of the version with this hash. */
  count(key: DocumentKey, documentHash: string): Promise<{ readonly all: number; readonly current: number }>;
  /** Ids of the passages stored for a document that carry this title: the words of a title are searched with them. */
  idsOf(key: DocumentKey, title: string): Promise<ReadonlySet<string>>;
  /** Makes stored passages part of the version with this hash; false when some are there no more, and it may not be all. */
  adopt(ids: readonly string[], documentHash: string): Promise<boolean>;
  /** Adds or overwrites; resolves when the passages can be searched and are durable. */
  put(passages: readonly StoredPassage[]): Promise<void>;
  /** Removes the passages of a document that are not of the version with this hash. */
  removeOthers(key: DocumentKey, documentHash: string): Promise<void>;
  close(): Promise<void>;
}
