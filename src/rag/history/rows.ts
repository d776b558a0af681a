import type { Exchange, ExchangeSource, ExchangeStatus, FeedbackValue } from '../ports.js';

/** An exchange as clients of PostgreSQL give it. */
export interface ExchangeRow {
  readonly id: string;
  readonly request_id: string;
  readonly created_at: Date;
  /** `created_at` in microseconds since 1970, which a Date does not tell. */
  readonly micros: string;
  readonly finished_at: Date | null;
  readonly status: ExchangeStatus;
  readonly error_code: string | null;
  readonly user_name: string;
  readonly course: string;
  readonly question: string;
  readonly answer: string;
  readonly refused: boolean;
  readonly sources: readonly ExchangeSource[];
  readonly degraded: readonly string[];
  readonly timings: Readonly<Record<string, number>>;
  readonly model: string;
  readonly finish_reason: string | null;
  readonly prompt_tokens: number | null;
  readonly completion_tokens: number | null;
  readonly feedback: FeedbackValue | null;
  readonly feedback_comment: string | null;
  readonly feedback_at: Date | null;
}

export function exchangeOf(row: ExchangeRow): Exchange {
  return {
    id: row.id,
    requestId: row.request_id,
    createdAt: row.created_at,
    finishedAt: row.finished_at ?? undefined,
    status: row.status,
    errorCode: row.error_code ?? undefined,
    userName: row.user_name,
    course: row.course,
    question: row.question,
    answer: row.answer,
    refused: row.refused,
    sources: row.sources,
    degraded: row.degraded,
    timings: row.timings,
    model: row.model,
    finishReason: row.finish_reason ?? undefined,
    promptTokens: row.prompt_tokens ?? undefined,
    completionTokens: row.completion_tokens ?? undefined,
    feedback:
      row.feedback && row.feedback_at
        ? { value: row.feedback, comment: row.feedback_comment ?? undefined, givenAt: row.feedback_at }
        : undefined,
  };
}
