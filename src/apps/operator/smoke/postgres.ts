import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { postgresAddress } from '../../../rag/history/connection.js';
import { beginStatement, findStatement } from '../../../rag/history/statements.js';
import { loginsAt } from '../../postgres-logins.js';
import { CheckFailure, describe, type ServiceChecks } from './check.js';
import type { TargetOf } from './protocol.js';
import { sameSetting } from './quantity.js';

const CONNECT_MS = 4000;
const STATEMENT_MS = 10_000;

/** Refusals that no waiting heals: wrong password (28), no such database (3D), not let in by pg_hba.conf (28000). */
const FINAL = /^(28|3D)/;

/** PostgreSQL as the RAG API uses it: its role, its network, its table. */
export function postgresChecks(target: TargetOf<'postgres'>): ServiceChecks {
  const login = `log in at ${target.url}`;
  return {
    id: target.id,
    needs: target.needs,
    ready: async () => connected(target, login, async () => undefined),
    checks: [
      { name: 'writes and reads', seconds: 15, run: () => connected(target, login, writeAndRead) },
      // Of an external server nobody asked for any.
      ...(Object.keys(target.settings).length === 0
        ? []
        : [
            {
              name: 'settings',
              seconds: 15,
              run: () => connected(target, login, (client: pg.Client) => compareSettings(client, target.settings)),
            },
          ]),
    ],
  };
}

async function connected<T>(
  { url, passwordFile }: TargetOf<'postgres'>,
  asked: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    ...postgresAddress(url),
    ...(await loginsAt(url, passwordFile))[0],
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS,
    application_name: 'ragdock-smoke',
  });
  // A connection that breaks while nothing is asked of it is found out by the next statement.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (cause) {
    // The socket of a login that failed stays open, and keeps the process alive, until the server gives it up.
    client.end().catch(() => undefined);
    const state = cause instanceof pg.DatabaseError ? (cause.code ?? '') : '';
    const came = state === '' ? describe(cause) : `${(cause as Error).message} (SQLSTATE ${state})`;
    throw new CheckFailure({ asked, expected: 'a session', came }, { cause, final: FINAL.test(state) });
  }
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** In a transaction that is rolled back: the history keeps no trace of it. */
async function writeAndRead(client: pg.Client): Promise<void> {
  const id = randomUUID();
  const exchange = {
    id,
    requestId: 'ragdock-smoke',
    userName: 'ragdock-smoke',
    course: 'ragdock-smoke',
    question: 'Проверка записи',
    model: 'none',
  };
  const asked = 'BEGIN; INSERT INTO rag.exchanges …; SELECT …; ROLLBACK';
  const expected = 'the row that was written';
  let found: { readonly question?: unknown } | undefined;
  try {
    await client.query('BEGIN');
    const write = beginStatement(exchange);
    await client.query(write.text, [...write.values]);
    const read = findStatement(id);
    found = (await client.query<{ question: string }>(read.text, [...read.values])).rows[0];
    await client.query('ROLLBACK');
  } catch (cause) {
    throw new CheckFailure({ asked, expected, came: (cause as Error).message }, { cause });
  }
  if (found?.question !== exchange.question) {
    throw new CheckFailure({ asked, expected, came: found ? JSON.stringify(found) : 'no row' });
  }
}

async function compareSettings(
  client: pg.Client,
  settings: Readonly<Record<string, string | number | boolean>>,
): Promise<void> {
  const wrong: { readonly name: string; readonly asked: unknown; readonly came: string }[] = [];
  for (const [name, asked] of Object.entries(settings)) {
    const { rows } = await client.query<{ value: string | null }>('SELECT current_setting($1, true) AS value', [name]);
    const came = rows[0]?.value ?? 'no such setting';
    if (!sameSetting(asked, came)) wrong.push({ name, asked, came });
  }
  if (wrong.length === 0) return;
  throw new CheckFailure({
    asked: `SHOW ${wrong.map(({ name }) => name).join(', ')}`,
    expected: wrong.map(({ name, asked }) => `${name} = ${asked}`).join(', '),
    came: wrong.map(({ name, came }) => `${name} = ${came}`).join(', '),
  });
}
