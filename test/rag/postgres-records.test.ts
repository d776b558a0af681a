import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate } from '../../src/rag/history/migrate.js';
import { MIGRATIONS } from '../../src/rag/history/migrations.js';
import type { PostgresHistory } from '../../src/rag/history/postgres.js';
import { sharedPostgres } from '../apps/agent-exporter/support.js';
import { keepsRecords } from '../support/history-contract.js';
import { HAS_POSTGRES } from '../support/postgres-server.js';

describe.runIf(HAS_POSTGRES)('on PostgreSQL', () => {
  const postgres = sharedPostgres();
  let history: PostgresHistory;

  beforeAll(() => {
    history = postgres.current.history();
  });

  afterAll(() => history.close());

  keepsRecords('the role of the API', () => history);

  test('the role of the API deletes nothing but by the name of a user', async () => {
    const { server, passwords } = postgres.current;
    const api = await server.connect('rag_api', passwords.rag_api);
    for (const statement of [
      'DELETE FROM rag.exchanges',
      'DELETE FROM rag.feedback',
      'TRUNCATE rag.feedback CASCADE',
    ]) {
      await expect(api.query(statement), statement).rejects.toMatchObject({ code: '42501' });
    }
    await api.end();
    const exporter = await server.connect('agent_exporter', passwords.agent_exporter);
    await expect(exporter.query("SELECT rag.forget_user('a')")).rejects.toMatchObject({ code: '42501' });
    await expect(exporter.query('SELECT * FROM rag.feedback')).rejects.toMatchObject({ code: '42501' });
    await exporter.end();
  });

  test('several starters at once migrate once', async () => {
    const { server } = postgres.current;
    const superuser = await server.connect();
    await superuser.query('CREATE DATABASE contested');
    await superuser.end();
    const starters = await Promise.all(
      Array.from({ length: 4 }, () => server.connect('postgres', server.password, 'contested')),
    );
    const applied = await Promise.all(
      starters.map(async (client) => {
        await client.query('BEGIN');
        const done = await migrate(client);
        await client.query('COMMIT');
        return done.map(({ version }) => version);
      }),
    );
    const all = MIGRATIONS.map(({ version }) => version);
    expect(applied.filter(({ length }) => length > 0)).toEqual([all]);
    const { rows } = await (starters[0] as pg.Client).query('SELECT version FROM rag.schema_migrations ORDER BY 1');
    expect(rows.map(({ version }) => version)).toEqual(all);
    await Promise.all(starters.map((client) => client.end()));
  });

  test('a starter whose migration breaks off leaves nothing behind, and the next one goes on', async () => {
    const { server } = postgres.current;
    const superuser = await server.connect();
    await superuser.query('CREATE DATABASE broken');
    await superuser.end();
    const connect = () => server.connect('postgres', server.password, 'broken');
    const [first, second, killer] = [await connect(), await connect(), await connect()];
    await first.query('BEGIN');
    await migrate(first);
    await second.query('BEGIN');
    const waiting = migrate(second);
    const { rows } = await killer.query(
      "SELECT pid FROM pg_stat_activity WHERE datname = 'broken' AND state = 'idle in transaction'",
    );
    await killer.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    expect((await waiting).map(({ version }) => version)).toEqual(MIGRATIONS.map(({ version }) => version));
    await second.query('COMMIT');
    await Promise.all([second.end(), killer.end()]);
  });
});
