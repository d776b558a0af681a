import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { citedCheck } from '../../src/apps/operator/smoke/cited.js';
import { postgresChecks } from '../../src/apps/operator/smoke/postgres.js';
import type { TargetOf } from '../../src/apps/operator/smoke/protocol.js';
import { sweepExchanges } from '../../src/apps/operator/smoke/sweep.js';
import type { PostgresHistory } from '../../src/rag/history/postgres.js';
import { exchange, sharedPostgres, source } from '../apps/agent-exporter/support.js';
import { json, ScriptedServer } from '../support/http-server.js';
import { HAS_POSTGRES } from '../support/postgres-server.js';
import { secretFile } from './support/secret-file.js';
import { failureOf } from './support/verdict.js';

const USER = 'ragdock-smoke-20261122t100000z-aaaaaa';

describe.runIf(HAS_POSTGRES)('on PostgreSQL', () => {
  const postgres = sharedPostgres();
  let history: PostgresHistory;

  beforeAll(() => {
    history = postgres.current.history();
  });
  afterAll(() => history.close());
  beforeEach(() => superuser('TRUNCATE rag.exchanges CASCADE'));

  async function superuser(statement: string): Promise<readonly Record<string, unknown>[]> {
    const client = await postgres.current.server.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  }
  const users = async () =>
    (await superuser('SELECT DISTINCT user_name FROM rag.exchanges ORDER BY 1')).map(({ user_name }) => user_name);
  const target = (settings: Record<string, string> = {}): TargetOf<'postgres'> => ({
    kind: 'postgres',
    id: 'postgres',
    needs: [],
    url: postgres.current.server.url('rag_api'),
    passwordFile: postgres.current.passwordFile('rag_api'),
    settings,
  });
  const run = (name: string, settings?: Record<string, string>) => {
    const found = postgresChecks(target(settings), USER).checks.find((check) => check.name === name);
    if (!found) throw new Error(`there is no check '${name}'`);
    return found.run(AbortSignal.timeout(10_000));
  };

  test('what is written as the API’s role is read, and leaves nothing', async () => {
    await exchange(history, 'demo', {}, 'somebody');
    await run('writes and reads');

    expect(await users()).toEqual(['somebody']);
  });

  test('a role that may not write fails, in the words of the server', async () => {
    await superuser('REVOKE INSERT ON rag.exchanges FROM rag_api');
    try {
      expect((await failureOf(run('writes and reads'))).finding.came).toContain(
        'permission denied for table exchanges',
      );
    } finally {
      await superuser('GRANT INSERT ON rag.exchanges TO rag_api');
    }
  });

  test('a server that only reads fails, although a row that is rolled back would not need it to write', async () => {
    await superuser('ALTER ROLE rag_api SET default_transaction_read_only = on');
    try {
      expect((await failureOf(run('writes and reads'))).finding.came).toContain('read-only transaction');
    } finally {
      await superuser('ALTER ROLE rag_api RESET default_transaction_read_only');
    }
  });

  test('a setting that is another one is told with both values', async () => {
    const [{ max_connections: now } = {}] = await superuser('SHOW max_connections');
    await run('settings', { max_connections: String(now) });

    const { finding } = await failureOf(run('settings', { max_connections: '7' }));
    expect(finding).toMatchObject({ expected: 'max_connections = 7', came: `max_connections = ${now}` });
  });

  test('a sweep forgets what cut-off runs asked, and nothing of those that live or of users', async () => {
    const dead = 'ragdock-smoke-20261122t090000z-dddddd';
    const names = ['Анна', 'ragdock-smoker', 'ragdock-smoke', dead, USER];
    for (const name of names) await exchange(history, 'demo', {}, name);
    await sweepExchanges(target(), (other) => other === '20261122t090000z-dddddd');

    expect(await users()).toEqual([USER, 'ragdock-smoker', 'Анна'].sort());
  });

  describe('a collection', () => {
    let qdrant: ScriptedServer;
    let points: readonly { readonly payload: object }[];

    beforeEach(async () => {
      points = [];
      qdrant = await ScriptedServer.start((_, response) => json(response, 200, { result: { points } }));
      return () => qdrant.close();
    });

    const check = () =>
      citedCheck(
        {
          kind: 'qdrant',
          id: 'qdrant',
          needs: [],
          url: qdrant.url,
          keyFile: secretFile('the-key-of-qdrant'),
          collections: [{ name: 'BD_curs_data', language: 'russian' }],
        },
        target(),
      ).run(AbortSignal.timeout(10_000));
    const ofLecture = { sources: [{ ...source('BD_curs_data'), source: 'lecture.md' }] };

    test('of a new stack is empty, and right', async () => {
      await check();
      await exchange(history, 'demo', { sources: [] });
      await check();
    });

    test('that answers rest on, and that is empty now, fails', async () => {
      await exchange(history, 'demo', ofLecture);
      expect((await failureOf(check())).finding.came).toBe('BD_curs_data is empty, and answers rest on its lecture.md');
      // What other runs have in it for a moment is no content.
      points = [{ payload: { source: 'ragdock-smoke/r1.md' } }];
      await failureOf(check());
      points = [...points, { payload: { source: 'lecture.md' } }];
      await check();
    });

    test('that held no more than what was learned, and was taken back, may be empty', async () => {
      const learned = { ...source('BD_curs_data'), source: `history/${randomUUID()}` };
      await exchange(history, 'demo', { sources: [learned] });
      await check();
      // A document beside it is still missed.
      await exchange(history, 'demo', { sources: [learned, ...ofLecture.sources] });
      expect((await failureOf(check())).finding.came).toContain('its lecture.md');
    });

    test('that only smoke tests asked about, or that was asked about long ago, may be empty', async () => {
      await exchange(history, 'demo', ofLecture, USER);
      const id = await exchange(history, 'demo', ofLecture);
      await superuser(`UPDATE rag.exchanges SET created_at = now() - interval '8 days' WHERE id = '${id}'`);
      await check();
    });
  });

  test('a row of another run is not touched', async () => {
    const other = `ragdock-smoke-${randomUUID()}`;
    await exchange(history, 'demo', {}, other);
    await run('writes and reads');
    expect(await users()).toEqual([other]);
  });
});
