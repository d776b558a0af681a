import pg from 'pg';
import { codeOf } from '../../rag/failure.js';
import { postgresAddress } from '../../rag/history/connection.js';
import { every } from '../secret-file.js';
import { JobFailure } from './job.js';

const CONNECT_TIMEOUT_MS = 5000;
const STATEMENT_TIMEOUT_MS = 60_000;

const WRONG_PASSWORD = '28P01';

export interface PostgresAccess {
  /** `postgresql://superuser@host:port`, or another role of an external server; the database is the settings'. */
  readonly url: string;
  /** Path of the role's password, without version. */
  readonly passwordFile: string;
}

export interface SessionOptions {
  readonly database: string;
  /** Nobody gave us a superuser, but a role of somebody else's server. @default false */
  readonly external?: boolean | undefined;
  /** What the server shows the session as. */
  readonly application: string;
}

/**
 * Logs in with the newest password that the server takes: during a rotation the one before the newest, and after
 * rotations whose deploys did not get so far, or data that was restored, an older one.
 *
 * @throws JobFailure when the server refuses all; otherwise what the server or the connection said
 */
export async function connectAsSuperuser(
  access: PostgresAccess,
  { database, external, application }: SessionOptions,
): Promise<{ readonly client: pg.Client; readonly superuser: { readonly name: string; readonly password: string } }> {
  const address = postgresAddress(access.url);
  const passwords = await every(access.passwordFile);
  for (const candidate of passwords) {
    const client = new pg.Client({
      ...address,
      database,
      password: candidate,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      application_name: application,
    });
    // A server that goes away ends the statement that runs; the same news outside of one would end the process.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return { client, superuser: { name: address.user, password: passwords[0] ?? candidate } };
    } catch (error) {
      await client.end().catch(() => undefined);
      if (codeOf(error) !== WRONG_PASSWORD) throw error;
    }
  }
  if (external) {
    throw new JobFailure(
      `PostgreSQL at ${address.host}:${address.port} refuses the password of ${address.user} in ${access.passwordFile}; ` +
        'store the one that it was given there (ragdock secrets set)',
    );
  }
  throw new JobFailure(
    `PostgreSQL refuses the superuser's password in ${access.passwordFile}; restore the password that its data was ` +
      'made with (ragdock secrets set)',
  );
}

/** Whether the same may succeed in a moment. */
export function isTransient(error: unknown): boolean {
  const code = codeOf(error);
  // 08 connection, 53 out of resources, 57P01 to 57P03 stopping or starting, 55P03 lock not available, 40 rolled back.
  return (
    /^(08|53|40|57P0[1-3]|55P03)/.test(code) ||
    /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/.test(code) ||
    /Connection terminated|timeout expired/.test(String(error))
  );
}

export function describe(error: unknown): string {
  return error instanceof Error ? error.message || codeOf(error) : String(error);
}
