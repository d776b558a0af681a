import { expect, test } from 'vitest';
import { type Deployment, DOCUMENT } from '../deployment.js';
import { until } from '../poll.js';

/** One role logs in itself, with the password that the two logins have now, and there are no such two. */
const AS_IT_WAS = `
DO $$
DECLARE verifier text := (SELECT rolpassword FROM pg_authid WHERE rolname IN ('rag_api_1', 'rag_api_2') AND rolcanlogin);
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ('rag_api_1', 'rag_api_2');
  EXECUTE format('ALTER ROLE rag_api LOGIN PASSWORD %L', verifier);
  DROP ROLE rag_api_1;
  DROP ROLE IF EXISTS rag_api_2;
END $$`;

const LOGINS =
  "SELECT string_agg(rolname || ':' || rolcanlogin || ':' || (rolpassword IS NOT NULL), ',' ORDER BY rolname) FROM pg_authid WHERE rolname LIKE 'rag\\_api%'";

/** Data of a deployment whose API logged in by a role of its own, before there were two logins that take turns. */
export function olderDatabase({ name, project, engine, ask, tryToAsk, sql }: Deployment): void {
  test(`the API of ${name} goes on with a database of the time before it had two logins`, async () => {
    const { exchangeId } = await ask();
    await sql(AS_IT_WAS);
    expect(await sql(LOGINS)).toBe('rag_api:true:true');
    await project.destroy();

    await project.deploy();
    await engine.allHealthy();

    const answer = await until('a question is answered', () => tryToAsk(), 60);
    expect(answer.sources).toContainEqual(expect.objectContaining({ source: DOCUMENT }));
    for (const id of [exchangeId, answer.exchangeId]) {
      expect(await sql(`SELECT status FROM rag.exchanges WHERE id = '${id}'`)).toBe('complete');
    }
    // The role is what its login acts as, and nobody comes in by it any more.
    expect(await sql(LOGINS)).toMatch(/^rag_api:false:false,rag_api_[12]:true:true(,rag_api_[12]:false:false)?$/);
    const { code, stdout } = await project.plan();
    expect(code, stdout).toBe(0);
  });
}
