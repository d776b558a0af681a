/** How a user of many exchanges is forgotten: in steps, each of which ends well before a statement may take too long. */
export const FORGET_SQL = `
  -- Deletes so many exchanges of a user at most, and gives their number: 0 when there is none any more. Rows that somebody
  -- else deletes at the same moment are waited for and passed over, so that 0 means that also with two at once.
  CREATE FUNCTION rag.forget_exchanges(who text, most integer) RETURNS bigint
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (
      DELETE FROM rag.exchanges
       WHERE id = ANY (ARRAY(SELECT id FROM rag.exchanges WHERE user_name = who
                              ORDER BY created_at DESC LIMIT most FOR UPDATE))
      RETURNING 1
    ) SELECT count(*) FROM gone
  $$;
  REVOKE ALL ON FUNCTION rag.forget_exchanges(text, integer) FROM PUBLIC;
`;
