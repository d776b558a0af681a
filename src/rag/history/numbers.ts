/** How an exchange ended, as the counters know it. */
export const OUTCOMES = ['answered', 'refused', 'aborted', 'error'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Windows in which users are counted, up to now. */
export const PERIODS = ['day', 'week'] as const;
export type Period = (typeof PERIODS)[number];

/** Exchanges of one course that ended in one way, since the first of them. Times are Unix seconds. */
export interface ExchangeCount {
  readonly course: string;
  readonly outcome: Outcome;
  readonly exchanges: number;
  /** Answers of the model that were given no passage. */
  readonly without_sources: number;
  /** Answers that ended at the limit of tokens. */
  readonly cut_off: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly last_at: number;
}

/** Passages of one collection that answers of one course were given, since the first of them. */
export interface SourceCount {
  readonly course: string;
  readonly collection: string;
  readonly passages: number;
}

/** Users who asked something within a period; `course` is null for those of all courses together. */
export interface ActiveUsers {
  readonly period: Period;
  readonly course: string | null;
  readonly users: number;
}

/** How long answers of the last 24 hours took, in seconds; null where none tells. */
export interface AnswerWait {
  readonly course: string;
  /** Up to the first character, or to the end. */
  readonly moment: 'first_token' | 'total';
  readonly median: number | null;
  readonly p95: number | null;
}

/** What only grows. One short row for each course and outcome, and for each course and collection. */
export interface HistoryCounts {
  readonly exchanges: readonly ExchangeCount[];
  readonly sources: readonly SourceCount[];
}

/** What is counted in windows: it reads the rows of a week, or what an index has of them. */
export interface HistoryActivity {
  readonly users: readonly ActiveUsers[];
  readonly waits: readonly AnswerWait[];
  /** Unix seconds; undefined while there is no exchange. */
  readonly oldest: number | undefined;
}

/** Runs a statement without parameters and gives its rows. */
export type Ask = <Row>(text: string) => Promise<readonly Row[]>;

export async function readCounts(ask: Ask): Promise<HistoryCounts> {
  const exchanges = await ask<ExchangeCount>(`
    SELECT course, outcome, exchanges::float8, without_sources::float8, cut_off::float8, prompt_tokens::float8,
           completion_tokens::float8, extract(epoch FROM last_at)::float8 AS last_at
      FROM rag.exchange_counts`);
  const sources = await ask<SourceCount>('SELECT course, collection, passages::float8 FROM rag.source_counts');
  return { exchanges, sources };
}

export async function readActivity(ask: Ask): Promise<HistoryActivity> {
  const users = await ask<ActiveUsers>('SELECT period, course, users::float8 FROM rag.active_users');
  const waits = await ask<AnswerWait>('SELECT course, moment, median, p95 FROM rag.answer_waits');
  const [oldest] = await ask<{ readonly at: number | null }>(
    'SELECT extract(epoch FROM created_at)::float8 AS at FROM rag.oldest_exchange',
  );
  return { users, waits, oldest: oldest?.at ?? undefined };
}
