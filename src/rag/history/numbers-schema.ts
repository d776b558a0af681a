/**
 * Counters of exchanges that have ended, kept beside the table of exchanges by a trigger: rows that are deleted later
 * stay counted. An exchange counts once, when it ends for the first time.
 *
 * @param ended a SELECT that gives rows of `rag.exchanges`
 */
const count = (ended: string): string => `
  INSERT INTO rag.exchange_counts AS kept
         (course, outcome, exchanges, without_sources, cut_off, prompt_tokens, completion_tokens, last_at)
  SELECT course,
         CASE WHEN status <> 'complete' THEN status WHEN refused THEN 'refused' ELSE 'answered' END,
         count(*),
         count(*) FILTER (WHERE status = 'complete' AND NOT refused AND sources = '[]'),
         count(*) FILTER (WHERE status = 'complete' AND finish_reason = 'length'),
         coalesce(sum(prompt_tokens), 0),
         coalesce(sum(completion_tokens), 0),
         max(coalesce(finished_at, created_at))
    FROM (${ended}) AS ended
   GROUP BY 1, 2
   ORDER BY 1, 2
      ON CONFLICT (course, outcome) DO UPDATE
     SET exchanges = kept.exchanges + excluded.exchanges,
         without_sources = kept.without_sources + excluded.without_sources,
         cut_off = kept.cut_off + excluded.cut_off,
         prompt_tokens = kept.prompt_tokens + excluded.prompt_tokens,
         completion_tokens = kept.completion_tokens + excluded.completion_tokens,
         last_at = greatest(kept.last_at, excluded.last_at);
  INSERT INTO rag.source_counts AS kept (course, collection, passages)
  SELECT course, source ->> 'collection', count(*)
    FROM (${ended}) AS ended,
         jsonb_array_elements(CASE jsonb_typeof(sources) WHEN 'array' THEN sources ELSE '[]' END) AS source
   WHERE status = 'complete' AND source ->> 'collection' IS NOT NULL
   GROUP BY 1, 2
   ORDER BY 1, 2
      ON CONFLICT (course, collection) DO UPDATE SET passages = kept.passages + excluded.passages;`;

const milliseconds = (moment: string): string =>
  `CASE jsonb_typeof(timings -> '${moment}') WHEN 'number' THEN (timings -> '${moment}')::float8 END`;

const waits = (moment: string): string => `
  SELECT course, '${moment}' AS moment,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY ${milliseconds(moment)}) / 1000 AS median,
         percentile_cont(0.95) WITHIN GROUP (ORDER BY ${milliseconds(moment)}) / 1000 AS p95
    FROM rag.exchanges
   WHERE created_at > now() - interval '1 day' AND status = 'complete' AND NOT refused
   GROUP BY course`;

/**
 * Numbers about the history without a word of it. Tables and views belong to the superuser who migrates: a role that may
 * read them needs no right on the exchanges, and the role of the API, whose statements fire the trigger, none on them.
 */
export const NUMBERS_SQL = `
  CREATE TABLE rag.exchange_counts (
    course text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('answered', 'refused', 'aborted', 'error')),
    exchanges bigint NOT NULL,
    without_sources bigint NOT NULL,
    cut_off bigint NOT NULL,
    prompt_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (course, outcome)
  ) WITH (fillfactor = 50);
  CREATE TABLE rag.source_counts (
    course text NOT NULL,
    collection text NOT NULL,
    passages bigint NOT NULL,
    PRIMARY KEY (course, collection)
  ) WITH (fillfactor = 50);

  -- Whoever ends an exchange waits until the ones that end now are counted, and those that ended before are counted here.
  LOCK TABLE rag.exchanges IN SHARE ROW EXCLUSIVE MODE;
  ${count("SELECT * FROM rag.exchanges WHERE status <> 'running'")}

  CREATE FUNCTION rag.count_ended() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    ${count(`SELECT after.* FROM after JOIN before USING (id)
              WHERE before.status = 'running' AND after.status <> 'running'`)}
    RETURN NULL;
  END
  $$;
  REVOKE ALL ON FUNCTION rag.count_ended() FROM PUBLIC;
  CREATE TRIGGER count_ended AFTER UPDATE ON rag.exchanges
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION rag.count_ended();

  CREATE INDEX exchanges_by_time ON rag.exchanges (created_at) INCLUDE (course, user_name);
  CREATE VIEW rag.active_users AS
    SELECT period.name AS period, course, count(DISTINCT user_name) AS users
      FROM (VALUES ('day', interval '1 day'), ('week', interval '7 days')) AS period (name, span)
      JOIN rag.exchanges ON created_at > now() - period.span
     GROUP BY GROUPING SETS ((period.name), (period.name, course));
  CREATE VIEW rag.answer_waits AS ${waits('first_token')} UNION ALL ${waits('total')};
  CREATE VIEW rag.oldest_exchange AS SELECT min(created_at) AS created_at FROM rag.exchanges;
`;

/** What a role may read that sees numbers and courses, and no question, answer or name. */
export const NUMBERS_RELATIONS = [
  'exchange_counts',
  'source_counts',
  'active_users',
  'answer_waits',
  'oldest_exchange',
] as const;
