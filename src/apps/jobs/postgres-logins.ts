import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { bothLogins } from '../../rag/history/login.js';
import { retry } from '../../rag/retry.js';
import { readSettings, readVariables } from '../settings-file.js';
import { JobFailure, type Report } from './job.js';
import { connectAsSuperuser, describe, isTransient, type PostgresAccess } from './postgres-superuser.js';
import { JOB_SETTINGS_VARIABLE, POSTGRES_ROLES_VARIABLES, PostgresLoginsSettings } from './settings.js';

/** Time between two looks at who is logged in, in milliseconds. */
const LOOK_MS = 250;

/** The command `job-postgres-logins`. */
export async function runPostgresLogins(environment: NodeJS.ProcessEnv, report: Report): Promise<void> {
  const { settings, postgresUrl, passwordFile } = readVariables(
    environment,
    { settings: JOB_SETTINGS_VARIABLE, ...POSTGRES_ROLES_VARIABLES },
    { settings: 'path', postgresUrl: 'postgres-url', passwordFile: 'path' },
  );
  await settleLogins(readSettings(settings, PostgresLoginsSettings), { url: postgresUrl, passwordFile }, report);
}

/**
 * Takes login and password from every role that logged in for the same clients before: the other one of two logins, and
 * the role itself as deployments had it before there were two. Waits until nobody is logged in as one of them. Who still
 * is at the deadline is no client that follows its password's file, and is logged out. A second run changes nothing.
 */
export async function settleLogins(
  { database, roles, deadlineSeconds }: PostgresLoginsSettings,
  access: PostgresAccess,
  report: Report,
): Promise<void> {
  const deadline = performance.now() + deadlineSeconds * 1000;
  const old = roles.flatMap(({ name, login }) => [name, ...bothLogins(name)].filter((other) => other !== login));
  const attempt = async (): Promise<void> => {
    const { client } = await connectAsSuperuser(access, { database, application: 'ragdock job postgres-logins' });
    try {
      const { rows } = await client.query<{ rolname: string }>(
        'SELECT rolname FROM pg_authid WHERE rolname = ANY ($1) AND (rolcanlogin OR rolpassword IS NOT NULL) ORDER BY 1',
        [old],
      );
      const names = rows.map(({ rolname }) => rolname);
      if (names.length === 0) return;
      await untilNobodyIs(client, names, deadline);
      for (const name of names) {
        await client.query(`ALTER ROLE ${pg.escapeIdentifier(name)} NOLOGIN PASSWORD NULL`);
        report(`role ${name} logs in no more`);
      }
      await logOut(client, names, report);
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  try {
    await retry(attempt, {
      deadlineMs: deadlineSeconds * 1000,
      isTransient,
      onRetry: (error) => report(`waiting for PostgreSQL: ${describe(error)}`),
    });
  } catch (error) {
    if (error instanceof JobFailure) throw error;
    throw new JobFailure(`old logins of PostgreSQL were not taken away: ${describe(error)}`, { cause: error });
  }
}

async function untilNobodyIs(client: pg.Client, names: readonly string[], deadline: number): Promise<void> {
  const isSomebody = async (): Promise<boolean> => {
    const { rowCount } = await client.query('SELECT FROM pg_stat_activity WHERE usename = ANY ($1) LIMIT 1', [names]);
    return rowCount !== 0;
  };
  while (performance.now() < deadline && (await isSomebody())) await delay(LOOK_MS);
}

/** Whoever came in before the login was taken away, or stayed up to the deadline. */
async function logOut(client: pg.Client, names: readonly string[], report: Report): Promise<void> {
  const { rows } = await client.query<{ usename: string; application_name: string; client_addr: string | null }>(
    `WITH left_over AS MATERIALIZED (
       SELECT pid, usename, application_name, host(client_addr) AS client_addr
         FROM pg_stat_activity WHERE usename = ANY ($1)
     )
     SELECT usename, application_name, client_addr FROM left_over WHERE pg_terminate_backend(pid)`,
    [names],
  );
  for (const { usename, application_name, client_addr } of rows) {
    report(`logged out ${usename} (${application_name || 'no name'}, from ${client_addr ?? 'the server itself'})`);
  }
}
