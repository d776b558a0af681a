import type { Exchange, ExchangeOutcome, ExchangeSource, ExchangeStatus, NewExchange } from '../ports.js';

/** A statement with its parameters, for any client of PostgreSQL. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export function beginStatement(exchange: NewExchange): Statement {
  return {
    // A repetition after a broken connection may find its own row.
    text: `INSERT INTO rag.exchanges (id, request_id, user_name, course, question, model)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING`,
    values: [exchange.id, exchange.requestId, exchange.userName, exchange.course, exchange.question, exchange.model],
  };
}

/** Affects one row, or none when the exchange was never begun. */
export function finishStatement(id: string, outcome: ExchangeOutcome): Statement {
  return {
    text: `UPDATE rag.exchanges
              SET status = $2, answer = $3, refused = $4, sources = $5, degraded = $6, timings = $7,
                  finish_reason = $8, prompt_tokens = $9, completion_tokens = $10, error_code = $11,
                  finished_at = now()
            WHERE id = $1`,
    values: [
      id,
      outcome.status,
      outcome.answer,
      outcome.refused,
      JSON.stringify(outcome.sources),
      outcome.degraded,
      JSON.stringify(outcome.timings),
      outcome.finishReason ?? null,
      outcome.promptTokens ?? null,
      outcome.completionTokens ?? null,
      outcome.errorCode ?? null,
    ],
  };
}

export function findStatement(id: string): Statement {
  return { text: 'SELECT * FROM rag.exchanges WHERE id = $1', values: [id] };
}

export function abandonStatement(seconds: number): Statement {
  return {
    text: `UPDATE rag.exchanges SET status = 'aborted', finished_at = now()
            WHERE status = 'running' AND created_at < now() - make_interval(secs => $1)`,
    values: [seconds],
  };
}

/** A row of `rag.exchanges` as clients of PostgreSQL give it. */
export interface ExchangeRow {
  readonly id: string;
  readonly request_id: string;
  readonly created_at: Date;
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
  };
}
