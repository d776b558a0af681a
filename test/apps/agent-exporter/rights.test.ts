import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf } from '../../../src/rag/failure.js';
import { NUMBERS_RELATIONS } from '../../../src/rag/history/numbers-schema.js';
import { HAS_POSTGRES } from '../../support/postgres-server.js';
import { exchange, QUESTION, sharedPostgres } from './support.js';

const DENIED = '42501';

describe.runIf(HAS_POSTGRES)('the role of the agent exporter', () => {
  const postgres = sharedPostgres();
  let exporter: pg.Client;
  let api: pg.Client;

  beforeAll(async () => {
    const { server, passwords } = postgres.current;
    const history = postgres.current.history();
    await exchange(history, 'demo', {}, QUESTION);
    await history.close();
    const superuser = await server.connect();
    await superuser.query('ANALYZE');
    await superuser.end();
    exporter = await server.connect('agent_exporter', passwords.agent_exporter);
    api = await server.connect('rag_api', passwords.rag_api);
  });

  afterAll(async () => {
    await exporter.end();
    await api.end();
  });

  const refusalOf = (client: pg.Client, statement: string): Promise<string> =>
    client.query(statement).then(
      () => 'allowed',
      (error: unknown) => codeOf(error),
    );

  test.each(NUMBERS_RELATIONS)('reads %s, and finds no text of a user in it', async (relation) => {
    const { rows } = await exporter.query(`SELECT * FROM rag.${relation}`);
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain(QUESTION);
  });

  test('sees these texts, which are labels, and no others', async () => {
    const { rows } = await exporter.query(`
      SELECT DISTINCT column_name FROM information_schema.columns
       WHERE table_schema = 'rag' AND data_type NOT IN ('bigint', 'double precision', 'timestamp with time zone')
         AND has_column_privilege(format('%I.%I', table_schema, table_name), column_name, 'SELECT')
       ORDER BY 1`);
    expect(rows.map((row) => row.column_name)).toEqual(['collection', 'course', 'moment', 'outcome', 'period']);
  });

  test('sees nothing of the exchanges in the statistics of the server', async () => {
    const sampled = await api.query("SELECT FROM pg_stats WHERE tablename = 'exchanges'");
    expect(sampled.rowCount, 'the API, which may read them, sees some').toBeGreaterThan(0);
    expect((await exporter.query("SELECT FROM pg_stats WHERE tablename = 'exchanges'")).rowCount).toBe(0);
  });

  test.each([
    ...['question', 'answer', 'user_name', 'sources', 'id', 'course'].map(
      (column) => `SELECT ${column} FROM rag.exchanges`,
    ),
    'SELECT count(*) FROM rag.exchanges',
    'SELECT * FROM rag.schema_migrations',
    "INSERT INTO rag.exchange_counts VALUES ('demo', 'error', 1, 0, 0, 0, 0, now())",
    'UPDATE rag.exchange_counts SET exchanges = 0',
    'DELETE FROM rag.source_counts',
    'TRUNCATE rag.exchange_counts',
    // A function of its own could look over the shoulder of a view.
    'CREATE TEMPORARY TABLE t (a int)',
    'CREATE FUNCTION public.leak(text) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$',
    'CREATE VIEW rag.v AS SELECT 1',
    'SET ROLE rag_api',
    "COPY (SELECT 1) TO '/tmp/out'",
  ])('may not: %s', async (statement) => {
    expect(await refusalOf(exporter, statement)).toBe(DENIED);
  });

  test.each([
    'SELECT * FROM rag.exchange_counts',
    'UPDATE rag.exchange_counts SET exchanges = 0',
    'DELETE FROM rag.exchanges',
  ])('neither may the role of the API: %s', async (statement) => {
    expect(await refusalOf(api, statement)).toBe(DENIED);
  });

  test('has few connections', async () => {
    const { server, passwords } = postgres.current;
    const connect = () => server.connect('agent_exporter', passwords.agent_exporter);
    const more = [await connect(), await connect()];
    await expect(connect()).rejects.toMatchObject({ code: '53300' });
    for (const client of more) await client.end();
  });

  test('the job that made it changes nothing the second time', async () => {
    expect(await postgres.current.prepare()).toEqual([]);
  });
});
