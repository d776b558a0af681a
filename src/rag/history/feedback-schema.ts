/** What users thought of answers, and how a user is forgotten. */
export const FEEDBACK_SQL = `
  CREATE TABLE rag.feedback (
    exchange_id uuid PRIMARY KEY REFERENCES rag.exchanges (id) ON DELETE CASCADE,
    value text NOT NULL CHECK (value IN ('positive', 'negative')),
    comment text,
    given_at timestamptz NOT NULL DEFAULT now(),
    -- Counts what was said of one exchange, so that what was done for an older word is not taken for the last one's.
    revision integer NOT NULL DEFAULT 1,
    -- The last revision that the collection of passages has followed.
    followed integer NOT NULL DEFAULT 0
  );
  CREATE INDEX feedback_to_follow ON rag.feedback (given_at) WHERE followed < revision;

  -- The role of the API may forget a user, and delete nothing else.
  CREATE FUNCTION rag.forget_user(who text) RETURNS bigint
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (DELETE FROM rag.exchanges WHERE user_name = who RETURNING 1) SELECT count(*) FROM gone
  $$;
  REVOKE ALL ON FUNCTION rag.forget_user(text) FROM PUBLIC;
`;
