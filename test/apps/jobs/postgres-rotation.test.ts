import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { settleLogins } from '../../../src/apps/jobs/postgres-logins.js';
import { preparePostgres } from '../../../src/apps/jobs/postgres-roles.js';
import { connectAsSuperuser } from '../../../src/apps/jobs/postgres-superuser.js';
import { loginsAt } from '../../../src/apps/postgres-logins.js';
import { codeOf } from '../../../src/rag/failure.js';
import { PostgresHistory } from '../../../src/rag/history/postgres.js';
import { HAS_POSTGRES, PostgresServer } from '../../support/postgres-server.js';
import { until } from '../../support/until.js';

const ROLE = 'rag_api';
const REFUSED = '28P01';

describe.runIf(HAS_POSTGRES)('rotation of the password of PostgreSQL’s client', () => {
  let server: PostgresServer;
  let superuser: pg.Client;
  const folder = mkdtempSync(join(tmpdir(), 'ragdock-test-'));
  const file = (name: string) => join(folder, name);
  const password = (version: number) => `of the api, version ${version}`;
  let newestVersion = 0;
  const put = (version: number) => {
    writeFileSync(`${file(ROLE)}.v${version}`, password(version));
    newestVersion = version;
  };
  const open: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    server = await PostgresServer.start();
    superuser = await server.connect();
    writeFileSync(`${file('superuser')}.v1`, server.password);
  }, 60_000);

  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });

  afterAll(async () => {
    await superuser.end();
    await server.remove();
    rmSync(folder, { recursive: true });
  });

  const access = () => ({ url: server.url('postgres'), passwordFile: file('superuser') });

  /** What the two jobs of a deploy do. */
  async function prepare(login: string | undefined, version = newestVersion): Promise<readonly string[]> {
    const lines: string[] = [];
    const passwordFile = `${file(ROLE)}.v${version}`;
    const role = { name: ROLE, ...(login ? { login } : {}), passwordFile, grants: 'history' as const };
    const settings = { database: 'postgres', roles: [role], deadlineSeconds: 20 };
    await preparePostgres(settings, access(), (line) => lines.push(line));
    return lines;
  }
  /** The same before the clients have got the file. */
  async function prepareVersion(version: number): Promise<readonly string[]> {
    const away = `${file(ROLE)}-coming`;
    writeFileSync(`${away}.v${version}`, password(version));
    const lines: string[] = [];
    const login = version % 2 === 1 ? `${ROLE}_1` : `${ROLE}_2`;
    const role = { name: ROLE, login, passwordFile: `${away}.v${version}`, grants: 'history' as const };
    const settings = { database: 'postgres', roles: [role], deadlineSeconds: 20 };
    await preparePostgres(settings, access(), (line) => lines.push(line));
    return lines;
  }
  async function settle(login: string, deadlineSeconds = 20): Promise<readonly string[]> {
    const lines: string[] = [];
    const settings = { database: 'postgres', roles: [{ name: ROLE, login }], deadlineSeconds };
    await settleLogins(settings, access(), (line) => lines.push(line));
    return lines;
  }

  function history(user: string): PostgresHistory {
    const url = server.url(user);
    const made = new PostgresHistory({ url, logins: () => loginsAt(url, file(ROLE)), followMs: 50 });
    open.push(made);
    return made;
  }

  const tried = (user: string, version: number): Promise<string> =>
    server.connect(user, password(version)).then(
      async (client) => {
        await client.end();
        return 'let in';
      },
      (error: unknown) => codeOf(error),
    );

  const sessions = async (): Promise<string[]> => {
    const { rows } = await superuser.query(
      "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'rag-api' ORDER BY 1",
    );
    return rows.map(({ usename }) => usename);
  };

  /** Writes one exchange after the other until it is stopped; gives what failed. */
  function stream(to: PostgresHistory): { readonly written: () => number; stop(): Promise<readonly unknown[]> } {
    const failures: unknown[] = [];
    let written = 0;
    let running = true;
    const one = async () => {
      while (running) {
        try {
          const id = randomUUID();
          await to.begin({ id, requestId: 'r', userName: 'u', course: 'demo', question: 'q', model: 'm' });
          await to.find(id);
          written += 1;
        } catch (error) {
          failures.push(error);
        }
      }
    };
    const all = Promise.all(Array.from({ length: 20 }, one));
    return {
      written: () => written,
      async stop() {
        running = false;
        await all;
        return failures;
      },
    };
  }

  test('a deployment of one login comes to two, and the first to the second, without a statement that fails', async () => {
    put(1);
    await prepare(undefined);
    expect(await tried(ROLE, 1)).toBe('let in');
    const before = history(ROLE);
    await before.begin({ id: randomUUID(), requestId: 'r', userName: 'u', course: 'c', question: 'q', model: 'm' });

    // The deploy that brings two logins: clients of before go on until they are replaced.
    expect(await prepare('rag_api_1')).toEqual(['role rag_api_1 has the password of its file']);
    expect(await tried(ROLE, 1)).toBe('let in');
    const client = history('rag_api_*');
    const load = stream(client);
    await until('statements are written', async () => load.written() > 50);
    await open.splice(0, 1)[0]?.close();
    expect(await settle('rag_api_1')).toEqual(['role rag_api logs in no more']);
    expect(await tried(ROLE, 1)).toBe(REFUSED);
    expect(await prepare('rag_api_1')).toEqual([]);
    expect(await settle('rag_api_1')).toEqual([]);

    // A new version: first the role, then the file of the client, then the old login.
    for (const [version, login, other] of [
      [2, 'rag_api_2', 'rag_api_1'],
      [3, 'rag_api_1', 'rag_api_2'],
    ] as const) {
      put(version);
      expect(await prepare(login)).toEqual([`role ${login} has the password of its file`]);
      if (version === 2) expect(await tried(other, 1)).toBe('let in');
      const written = load.written();
      expect(await settle(login)).toEqual([`role ${other} logs in no more`]);
      expect(await sessions()).toEqual([login]);
      expect(await tried(other, version - 1)).toBe(REFUSED);
      expect(await tried(login, version)).toBe('let in');
      await until('statements go on', async () => load.written() > written + 50);
    }
    expect(await load.stop()).toEqual([]);
  }, 60_000);

  test('what a session makes belongs to the role, whichever login it came by', async () => {
    const client = await server.connect('rag_api_1', password(3));
    const { rows } = await client.query('SELECT current_user AS acting, session_user AS login');
    await client.end();
    expect(rows).toEqual([{ acting: ROLE, login: 'rag_api_1' }]);
  });

  test('a superuser whose password is some rotations old is found by its file', async () => {
    const passwordFile = file('behind');
    writeFileSync(`${passwordFile}.v1`, server.password);
    for (const version of [2, 3, 4]) writeFileSync(`${passwordFile}.v${version}`, `of version ${version}`);
    const session = { database: 'postgres', application: 'test' };
    const { client, superuser: found } = await connectAsSuperuser(
      { url: server.url('postgres'), passwordFile },
      session,
    );
    await client.end();
    // What the server is to be given is the newest all the same.
    expect(found.password).toBe('of version 4');
  });

  test('a client that stays at the old login is logged out at the deadline', async () => {
    put(4);
    await prepare('rag_api_2');
    const stuck = await server.connect('rag_api_1', password(3));
    const ended = new Promise((resolve) => stuck.once('end', resolve));
    expect(await settle('rag_api_2', 1)).toEqual([
      'role rag_api_1 logs in no more',
      'logged out rag_api_1 (no name, from 127.0.0.1)',
    ]);
    await ended;
  });

  test('a version that was skipped does not end the password that is in use; the one after it comes in', async () => {
    const client = history('rag_api_*');
    const load = stream(client);
    await until('statements are written', async () => load.written() > 50);
    // Version 5 was never deployed, and 6 has the login of 4.
    await expect(prepareVersion(6)).rejects.toThrow(
      /rag_api would take the place of .* as rag_api_2: a version was skipped/,
    );
    expect(await tried('rag_api_2', 4)).toBe('let in');
    expect(await prepareVersion(7)).toEqual(['role rag_api_1 has the password of its file']);
    put(7);
    expect(await settle('rag_api_1')).toEqual(['role rag_api_2 logs in no more']);
    expect(await sessions()).toEqual(['rag_api_1']);
    expect(await load.stop()).toEqual([]);
  }, 60_000);

  test('a rotation that is taken back takes the clients back, though they hold the newer file', async () => {
    const client = history('rag_api_*');
    const load = stream(client);
    await until('statements are written', async () => load.written() > 50);
    writeFileSync(`${file(ROLE)}.v6`, password(6));
    expect(await prepare('rag_api_2', 6)).toEqual(['role rag_api_2 has the password of its file']);
    await settle('rag_api_2', 1);
    const written = load.written();
    await until('statements go on', async () => load.written() > written + 50);
    await load.stop();
    expect(await sessions()).toEqual(['rag_api_2']);
  }, 60_000);
});
