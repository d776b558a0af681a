import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NumbersDatabase } from '../../../src/apps/agent-exporter/postgres.js';
import { MIGRATIONS } from '../../../src/rag/history/migrations.js';
import { type HistoryCounts, readActivity, readCounts } from '../../../src/rag/history/numbers.js';
import type { PostgresHistory } from '../../../src/rag/history/postgres.js';
import { HAS_POSTGRES } from '../../support/postgres-server.js';
import { exchange, QUESTION, sharedPostgres, source } from './support.js';

describe.runIf(HAS_POSTGRES)('what the history counts', () => {
  const postgres = sharedPostgres();
  let history: PostgresHistory;
  let superuser: pg.Client;

  beforeAll(async () => {
    history = postgres.current.history();
    superuser = await postgres.current.server.connect();
  });

  afterEach(() => superuser.query('TRUNCATE rag.exchanges, rag.feedback, rag.exchange_counts, rag.source_counts'));

  afterAll(async () => {
    await history.close();
    await superuser.end();
  });

  const database = (name = 'postgres', passwords: readonly string[] = [postgres.current.passwords.agent_exporter]) =>
    new NumbersDatabase({
      url: postgres.current.server.url('agent_exporter', name),
      logins: async () => passwords.map((password) => ({ user: 'agent_exporter', password })),
    });
  const counted = async (name?: string) => simple(await database(name).read(readCounts));
  const simple = ({ exchanges, sources }: HistoryCounts) => ({
    exchanges: Object.fromEntries(exchanges.map((row) => [`${row.course} ${row.outcome}`, row.exchanges])),
    sources: Object.fromEntries(sources.map((row) => [`${row.course} ${row.collection}`, row.passages])),
  });

  test('is nothing at first', async () => {
    expect(await database().read(readCounts)).toEqual({ exchanges: [], sources: [] });
    expect(await database().read(readActivity)).toEqual({ users: [], waits: [], oldest: undefined });
  });

  test('is each exchange, by course and by how it ended', async () => {
    const began = Date.now() / 1000;
    await exchange(history, 'demo');
    await exchange(history, 'demo', { sources: [], finishReason: 'length', promptTokens: undefined });
    await exchange(history, 'demo', { refused: true, sources: [] });
    await exchange(history, 'demo', { status: 'aborted' });
    await exchange(history, 'math', { status: 'error', errorCode: 'llm-busy', sources: [], finishReason: undefined });
    const counts = await database().read(readCounts);
    expect(simple(counts)).toEqual({
      exchanges: { 'demo answered': 2, 'demo refused': 1, 'demo aborted': 1, 'math error': 1 },
      // Those of an answer that nobody saw to its end do not count.
      sources: { 'demo a': 2, 'demo b': 1 },
    });
    const answered = counts.exchanges.find(({ outcome }) => outcome === 'answered');
    expect(answered).toMatchObject({ without_sources: 1, cut_off: 1, prompt_tokens: 100, completion_tokens: 20 });
    expect(answered?.last_at).toBeGreaterThan(began - 5);
    expect(answered?.last_at).toBeLessThan(began + 60);
  });

  test('is not what has not ended', async () => {
    await history.begin({ id: randomUUID(), requestId: 'r', userName: 'u', course: 'demo', question: 'q', model: 'm' });
    expect((await counted()).exchanges).toEqual({});
  });

  test('counts an exchange once, however often its end is saved', async () => {
    const id = await exchange(history, 'demo');
    const again = { status: 'complete', answer: '', refused: false, sources: [source('a')], degraded: [] } as const;
    await history.finish(id, { ...again, timings: {} });
    expect(await counted()).toEqual({ exchanges: { 'demo answered': 1 }, sources: { 'demo a': 2, 'demo b': 1 } });
  });

  test('counts what is given up in one sweep', async () => {
    for (const course of ['demo', 'math', 'demo']) {
      await history.begin({ id: randomUUID(), requestId: 'r', userName: 'u', course, question: 'q', model: 'm' });
    }
    expect(await history.abandon(-1)).toBe(3);
    expect((await counted()).exchanges).toEqual({ 'demo aborted': 2, 'math aborted': 1 });
  });

  test('never goes down, whatever is deleted', async () => {
    await exchange(history, 'demo');
    await exchange(history, 'demo');
    const before = await counted();
    await superuser.query('DELETE FROM rag.exchanges');
    expect(await counted()).toEqual(before);
    await exchange(history, 'demo');
    expect((await counted()).exchanges).toEqual({ 'demo answered': 3 });
  });

  test('loses none of many that end at once, with sweeps between them', async () => {
    const ends = Array.from({ length: 60 }, (_, index) => exchange(history, index % 2 ? 'demo' : 'math'));
    const sweeps = Array.from({ length: 10 }, () => history.abandon(3600));
    await Promise.all([...ends, ...sweeps]);
    expect(await counted()).toEqual({
      exchanges: { 'demo answered': 30, 'math answered': 30 },
      sources: { 'demo a': 60, 'demo b': 30, 'math a': 60, 'math b': 30 },
    });
  });

  test('is not upset by rows that another program wrote', async () => {
    await superuser.query(
      `INSERT INTO rag.exchanges (id, request_id, user_name, course, question, model, sources, timings)
       VALUES (gen_random_uuid(), 'r', 'u', 'demo', 'q', 'm', '{"not": "a list"}', '{"total": "soon"}')`,
    );
    await superuser.query("UPDATE rag.exchanges SET status = 'complete'");
    expect(await counted()).toEqual({ exchanges: { 'demo answered': 1 }, sources: {} });
    const { waits } = await database().read(readActivity);
    expect(waits.map(({ median }) => median)).toEqual([null, null]);
  });

  test('is who asked, and how long they waited', async () => {
    for (const [course, user] of [
      ['demo', 'one'],
      ['demo', 'one'],
      ['demo', 'two'],
      ['math', 'one'],
    ] as const) {
      await exchange(history, course, {}, user);
    }
    const id = await exchange(history, 'math', { timings: { first_token: 9, total: 9 } }, 'three');
    await superuser.query("UPDATE rag.exchanges SET created_at = now() - interval '3 days' WHERE id = $1", [id]);
    const { users, waits, oldest } = await database().read(readActivity);
    const found = Object.fromEntries(users.map((row) => [`${row.period} ${row.course}`, row.users]));
    expect(found).toEqual({
      'day null': 2,
      'day demo': 2,
      'day math': 1,
      'week null': 3,
      'week demo': 2,
      'week math': 2,
    });
    expect(waits).toContainEqual({ course: 'demo', moment: 'first_token', median: 1, p95: 1 });
    expect(waits).toContainEqual({ course: 'math', moment: 'total', median: 3, p95: 3 });
    expect(oldest).toBeLessThan(Date.now() / 1000 - 2 * 86_400);
  });

  test('asks an index for the users of a week, not the whole table', async () => {
    const row = `gen_random_uuid(), 'r', now() - n * interval '1 hour', 'user ' || n % 9, 'demo', repeat('q', 500), 'm'`;
    await superuser.query(
      `INSERT INTO rag.exchanges (id, request_id, created_at, user_name, course, question, model)
       SELECT ${row} FROM generate_series(1, 20000) AS n`,
    );
    await superuser.query('VACUUM ANALYZE rag.exchanges');
    for (const view of ['active_users', 'oldest_exchange']) {
      const { rows } = await superuser.query(`EXPLAIN SELECT * FROM rag.${view}`);
      const plan = rows.map((line) => line['QUERY PLAN']).join('\n');
      expect(plan).toContain('Index Only Scan using exchanges_by_time');
      expect(plan).not.toContain('Seq Scan on exchanges');
    }
    const { rows } = await superuser.query('EXPLAIN SELECT * FROM rag.answer_waits');
    expect(rows.map((line) => line['QUERY PLAN']).join('\n')).not.toContain('Seq Scan on exchanges');
  });

  test('cannot be written by who reads it', async () => {
    const write = database().read((ask) => ask('CREATE TABLE rag.t (a int)'));
    await expect(write).rejects.toMatchObject({ code: '25006' });
  });

  test('is read with the older password while the newer one is not in force', async () => {
    const { agent_exporter: older } = postgres.current.passwords;
    await database('postgres', ['newer', older]).read(readCounts);
    await expect(database('postgres', ['newer', 'newest']).read(readCounts)).rejects.toMatchObject({ code: '28P01' });
  });

  test('begins with what a database of an earlier version holds', async () => {
    const { server } = postgres.current;
    await superuser.query('CREATE DATABASE older');
    const { hostname, port } = new URL(server.url('postgres'));
    const older = new pg.Client({
      host: hostname,
      port: Number(port),
      user: 'postgres',
      password: server.password,
      database: 'older',
    });
    await older.connect();
    await older.query(`
      CREATE SCHEMA rag;
      CREATE TABLE rag.schema_migrations
        (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
      INSERT INTO rag.schema_migrations VALUES (1, 'exchanges');
      ${MIGRATIONS[0]?.sql}`);
    const columns = 'id, request_id, user_name, course, question, model, status, sources';
    const row = (status: string) =>
      `(gen_random_uuid(), 'r', 'u', 'demo', '${QUESTION}', 'm', '${status}', '[{"collection": "a"}]')`;
    await older.query(`INSERT INTO rag.exchanges (${columns}) VALUES ${['complete', 'error', 'running'].map(row)}`);
    expect(await postgres.current.prepare('older')).toEqual(
      MIGRATIONS.slice(1).map(({ version, name }) => `applied migration ${version} (${name})`),
    );
    await older.query("UPDATE rag.exchanges SET status = 'complete' WHERE status = 'running'");
    await older.end();
    expect(await counted('older')).toEqual({
      exchanges: { 'demo answered': 2, 'demo error': 1 },
      sources: { 'demo a': 2 },
    });
  });
});
