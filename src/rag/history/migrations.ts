import { FEEDBACK_SQL } from './feedback-schema.js';
import { FORGET_SQL } from './forget-schema.js';
import { NUMBERS_SQL } from './numbers-schema.js';

/** One change of the schema. A released migration is never edited; a correction is the next number. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'exchanges',
    sql: `
      CREATE TABLE rag.exchanges (
        id uuid PRIMARY KEY,
        request_id text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'complete', 'aborted', 'error')),
        error_code text,
        user_name text NOT NULL,
        course text NOT NULL,
        question text NOT NULL,
        answer text NOT NULL DEFAULT '',
        refused boolean NOT NULL DEFAULT false,
        sources jsonb NOT NULL DEFAULT '[]',
        degraded text[] NOT NULL DEFAULT '{}',
        timings jsonb NOT NULL DEFAULT '{}',
        model text NOT NULL,
        finish_reason text,
        prompt_tokens integer,
        completion_tokens integer
      );
      CREATE INDEX exchanges_by_user ON rag.exchanges (user_name, created_at DESC);
      CREATE INDEX exchanges_running ON rag.exchanges (created_at) WHERE status = 'running';
    `,
  },
  { version: 2, name: 'numbers', sql: NUMBERS_SQL },
  { version: 3, name: 'feedback', sql: FEEDBACK_SQL },
  { version: 4, name: 'forget in steps', sql: FORGET_SQL },
];

/** Tables that the role of the API reads and writes. */
export const HISTORY_TABLES = ['exchanges', 'feedback'] as const;

/** Functions that the role of the API calls, and that a role which only reads has no right to. */
export const HISTORY_FUNCTIONS = ['rag.forget_exchanges(text, integer)'] as const;

/**
 * Functions that it called before: they stay, with the right that it has to them, for an API that runs until it is
 * replaced. Nobody gets a new right to them.
 */
export const FORMER_FUNCTIONS = ['rag.forget_user(text)'] as const;

/** Key of the advisory lock that two starters of the migrations compete for: "ragdock" in ASCII. */
export const MIGRATION_LOCK = '32195244039562091';
