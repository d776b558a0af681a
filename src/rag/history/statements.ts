import type { ExchangeOutcome, FeedbackToFollow, FeedbackValue, HistoryQuery, NewExchange } from '../ports.js';

/** A statement with its parameters, for any client of PostgreSQL. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export function beginStatement(exchange: NewExchange): Statement {
  return {
    // A repetition after a broken connection may find its own row.
    text: `INSERT INTO rag.exchanges (id, request_id, user_name, course, question, model, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, coalesce($7::timestamptz, now())) ON CONFLICT (id) DO NOTHING`,
    values: [
      exchange.id,
      exchange.requestId,
      exchange.userName,
      exchange.course,
      exchange.question,
      exchange.model,
      exchange.askedAt?.toISOString() ?? null,
    ],
  };
}

/** Affects one row, or none when the exchange was never begun. */
export function finishStatement(id: string, outcome: ExchangeOutcome): Statement {
  return {
    text: `UPDATE rag.exchanges
              SET status = $2, answer = $3, refused = $4, sources = $5, degraded = $6, timings = $7,
                  finish_reason = $8, prompt_tokens = $9, completion_tokens = $10, error_code = $11,
                  finished_at = coalesce($12::timestamptz, now())
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
      outcome.finishedAt?.toISOString() ?? null,
    ],
  };
}

/** Exchanges with what was said of them, and the time at which they were asked in microseconds. */
const SELECT_EXCHANGE = `
  SELECT exchanges.*, (extract(epoch FROM created_at) * 1000000)::bigint::text AS micros,
         feedback.value AS feedback, feedback.comment AS feedback_comment, feedback.given_at AS feedback_at
    FROM rag.exchanges LEFT JOIN rag.feedback ON exchange_id = id`;

export function findStatement(id: string): Statement {
  return { text: `${SELECT_EXCHANGE} WHERE id = $1`, values: [id] };
}

export function listStatement({ userName, course, limit, before }: HistoryQuery): Statement {
  return {
    text: `${SELECT_EXCHANGE}
            WHERE user_name = $1
              AND ($2::text IS NULL OR course = $2)
              AND ($4::bigint IS NULL
                   OR (created_at, id) < (timestamptz 'epoch' + $4 * interval '1 microsecond', $5::uuid))
            ORDER BY created_at DESC, id DESC
            LIMIT $3`,
    values: [userName, course ?? null, limit, before?.micros ?? null, before?.id ?? null],
  };
}

/** Affects one row, or none when there is no such exchange. */
export function rateStatement(id: string, value: FeedbackValue, comment: string | undefined): Statement {
  return {
    text: `INSERT INTO rag.feedback AS said (exchange_id, value, comment)
           SELECT id, $2, $3 FROM rag.exchanges WHERE id = $1
               ON CONFLICT (exchange_id) DO UPDATE
              SET value = excluded.value, comment = excluded.comment, given_at = now(), revision = said.revision + 1`,
    values: [id, value, comment ?? null],
  };
}

export function toFollowStatement(limit: number): Statement {
  return {
    text: `SELECT exchange_id, revision FROM rag.feedback JOIN rag.exchanges ON id = exchange_id
            WHERE followed < revision AND status <> 'running'
            ORDER BY value = 'positive', given_at LIMIT $1`,
    values: [limit],
  };
}

export function followedStatement({ exchangeId, revision }: FeedbackToFollow): Statement {
  return {
    text: 'UPDATE rag.feedback SET followed = $2 WHERE exchange_id = $1 AND followed < $2',
    values: [exchangeId, revision],
  };
}

/** Deletes `most` exchanges of a user at most; gives one row with their number, as text. */
export function forgetStatement(userName: string, most: number): Statement {
  return { text: 'SELECT rag.forget_exchanges($1, $2)::text AS exchanges', values: [userName, most] };
}

export function abandonStatement(seconds: number): Statement {
  return {
    text: `UPDATE rag.exchanges SET status = 'aborted', finished_at = now()
            WHERE status = 'running' AND created_at < now() - make_interval(secs => $1)`,
    values: [seconds],
  };
}

/** Reads nothing, but what it would read has to be there, and allowed. */
export const CHECK_STATEMENT: Statement = {
  text: 'SELECT 1 FROM rag.exchanges LEFT JOIN rag.feedback ON exchange_id = id LIMIT 0',
  values: [],
};
