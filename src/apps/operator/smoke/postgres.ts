import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { postgresAddress } from '../../../rag/history/connection.js';
import { type Forgotten, forgetUser } from '../../../rag/history/forget.js';
import { beginStatement, findStatement } from '../../../rag/history/statements.js';
import { loginsAt } from '../../postgres-logins.js';
import { CheckFailure, describe, type ServiceChecks } from './check.js';
import { SMOKE_USER, type TargetOf } from './protocol.js';
import { sameSetting } from './quantity.js';

const CONNECT_MS = 4000;
const STATEMENT_MS = 10_000;

/** Refusals that no waiting heals: wrong password (28), no such database (3D), not let in by pg_hba.conf (28000). */
const FINAL = /^(28|3D)/;

/**
 * PostgreSQL as the RAG API uses it: its role, its network, its table.
 *
 * @param user whose row is written; it is forgotten again
 */
export function postgresChecks(target: TargetOf<'postgres'>, user: string): ServiceChecks {
  const login = `log in at ${target.url}`;
  return {
    id: target.id,
    needs: target.needs,
    ready: async () => connected(target, login, async () => undefined),
    checks: [
      {
        name: 'writes and reads',
        seconds: 15,
        run: () => connected(target, login, (client) => writeAndRead(client, user)),
      },
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

/** Logs in as the API does, and does this. */
export async function connected<T>(
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

/**
 * A row is written, read and forgotten again. Not in a transaction that is rolled back: what is never committed never
 * has to be on the disk, and a full one would pass.
 */
async function writeAndRead(client: pg.Client, user: string): Promise<void> {
  const id = randomUUID();
  const exchange = {
    id,
    requestId: SMOKE_USER,
    userName: user,
    course: SMOKE_USER,
    question: 'Проверка записи',
    model: 'none',
  };
  const asked = 'INSERT INTO rag.exchanges …; SELECT …; SELECT rag.forget_exchanges(…); SELECT …';
  const expected = 'the row that was written, and then none';
  const fail = (came: string, cause?: unknown) => new CheckFailure({ asked, expected, came }, { cause });
  const find = async () => {
    const { text, values } = findStatement(id);
    return (await client.query<{ question: string }>(text, [...values])).rows[0];
  };
  try {
    const { text, values } = beginStatement(exchange);
    await client.query(text, [...values]);
    const found = await find();
    if (found?.question !== exchange.question) throw fail(found ? JSON.stringify(found) : 'no row');
    await forget(client, user);
    if (await find()) throw fail('a row that stays');
  } catch (cause) {
    await forget(client, user).catch(() => undefined);
    throw cause instanceof CheckFailure ? cause : fail((cause as Error).message, cause);
  }
}

/** Remove what is kept of a user. */
export async function forget(client: pg.Client, user: string): Promise<void> {
  await forgetUser(async ({ text, values }) => (await client.query<Forgotten>(text, [...values])).rows, user);
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
