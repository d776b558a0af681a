import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { preparePostgres } from '../../src/apps/jobs/postgres-roles.js';
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
    for (const call of ["forget_user('a')", "forget_exchanges('a', 1)"]) {
      await expect(exporter.query(`SELECT rag.${call}`), call).rejects.toMatchObject({ code: '42501' });
    }
    await expect(exporter.query('SELECT * FROM rag.feedback')).rejects.toMatchObject({ code: '42501' });
    await exporter.end();
  });

  describe('a user with many exchanges', () => {
    const MANY = 2000;
    let superuser: pg.Client;

    beforeAll(async () => {
      superuser = await postgres.current.server.connect();
      await superuser.query(`
        CREATE FUNCTION public.slowly() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM pg_catalog.pg_sleep(0.0015); RETURN OLD; END $$;
        CREATE TRIGGER slowly BEFORE DELETE ON rag.exchanges FOR EACH ROW EXECUTE FUNCTION public.slowly()`);
    });

    afterAll(async () => {
      await superuser.query('DROP FUNCTION public.slowly CASCADE');
      await superuser.end();
    });

    const ask = (who: string, times: number) =>
      superuser.query(
        `INSERT INTO rag.exchanges (id, request_id, user_name, course, question, model)
         SELECT gen_random_uuid(), 'r', $1, 'demo', 'q', 'm' FROM generate_series(1, $2)`,
        [who, times],
      );

    test('is forgotten, though no statement could delete them all in its time', async () => {
      await ask('diligent', MANY);
      await superuser.query(
        "INSERT INTO rag.feedback (exchange_id, value) SELECT id, 'positive' FROM rag.exchanges WHERE user_name = 'diligent'",
      );
      const { server, passwords } = postgres.current;
      const api = await server.connect('rag_api', passwords.rag_api);
      await api.query("SET statement_timeout = '2s'");
      await expect(api.query("SELECT rag.forget_exchanges('diligent', $1)", [MANY])).rejects.toMatchObject({
        code: '57014',
      });
      await api.end();
      expect(await history.forget('diligent')).toBe(MANY);
      expect(await history.forget('diligent')).toBe(0);
      const left = await superuser.query("SELECT FROM rag.exchanges WHERE user_name = 'diligent'");
      expect(left.rowCount).toBe(0);
    }, 30_000);

    test('is forgotten by two who ask for it at once, and by the one who asks last', async () => {
      await ask('twice', 600);
      const gone = await Promise.all([history.forget('twice'), history.forget('twice')]);
      expect(gone.reduce((sum, one) => sum + one, 0)).toBe(600);
    }, 30_000);
  });

  describe('a database of an older version', () => {
    const OLDER = 3;

    test('gets the function and its role the right to it, while the API that runs keeps the one it calls', async () => {
      const { server, passwords } = postgres.current;
      const superuser = await server.connect();
      await superuser.query('CREATE DATABASE older');
      await superuser.end();
      const owner = await server.connect('postgres', server.password, 'older');
      await owner.query(`CREATE SCHEMA rag;
        CREATE TABLE rag.schema_migrations (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz)`);
      for (const { version, name, sql } of MIGRATIONS.filter((one) => one.version <= OLDER)) {
        await owner.query(sql);
        await owner.query('INSERT INTO rag.schema_migrations (version, name) VALUES ($1, $2)', [version, name]);
      }
      await owner.query('GRANT USAGE ON SCHEMA rag TO rag_api');
      await owner.query('GRANT EXECUTE ON FUNCTION rag.forget_user(text) TO rag_api');

      expect((await postgres.current.prepare('older'))[0]).toBe('applied migration 4 (forget in steps)');
      expect(await postgres.current.prepare('older')).toEqual([]);
      const api = await server.connect('rag_api', passwords.rag_api, 'older');
      for (const call of ["forget_user('a')", "forget_exchanges('a', 1)"]) {
        expect((await api.query(`SELECT rag.${call}::int AS gone`)).rows, call).toEqual([{ gone: 0 }]);
      }
      await api.end();
      await expectNothingIsLeftOf(owner);
      await owner.end();
    });

    /** The role writes no longer, as an operator may set it from one deploy to the next. */
    async function expectNothingIsLeftOf(owner: pg.Client): Promise<void> {
      const { current } = postgres;
      const passwordFile = `${current.passwordFile('rag_api')}.v1`;
      const role = { name: 'rag_api', passwordFile, grants: 'read' as const };
      await preparePostgres(
        { database: 'older', roles: [role], deadlineSeconds: 20 },
        { url: current.server.url('postgres', 'older'), passwordFile: current.passwordFile('superuser') },
        () => undefined,
      );
      const { rows } = await owner.query(
        "SELECT has_function_privilege('rag_api', name, 'EXECUTE') AS may FROM unnest($1::text[]) AS name",
        [['rag.forget_user(text)', 'rag.forget_exchanges(text, integer)']],
      );
      expect(rows).toEqual([{ may: false }, { may: false }]);
    }
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
