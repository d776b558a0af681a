import pg from 'pg';
import { codeOf } from '../../rag/failure.js';
import { bothLogins } from '../../rag/history/login.js';
import { migrate, SchemaTooNew } from '../../rag/history/migrate.js';
import { FORMER_FUNCTIONS, HISTORY_FUNCTIONS, HISTORY_TABLES } from '../../rag/history/migrations.js';
import { NUMBERS_RELATIONS } from '../../rag/history/numbers-schema.js';
import { retry } from '../../rag/retry.js';
import { readSecret } from '../secret-file.js';
import { readSettings, readVariables } from '../settings-file.js';
import { JobFailure, type Report } from './job.js';
import { connectAsSuperuser, describe, isTransient, type PostgresAccess } from './postgres-superuser.js';
import { matchesVerifier, scramVerifier } from './scram.js';
import { JOB_SETTINGS_VARIABLE, POSTGRES_ROLES_VARIABLES, PostgresRolesSettings } from './settings.js';

/** Another starter holds the locks that we need for at most this long, in milliseconds. */
const LOCK_TIMEOUT_MS = 30_000;

/** The exporter has one; one more for who looks at what it sees, or a container that is being replaced. */
const CONNECTIONS_FOR_NUMBERS = 3;

const INSUFFICIENT_PRIVILEGE = '42501';

interface Role {
  readonly name: string;
  /** Who logs in for it; undefined: the role itself. */
  readonly login: string | undefined;
  readonly password: string;
}

/** The command `job-postgres-roles`. */
export async function runPostgresRoles(environment: NodeJS.ProcessEnv, report: Report): Promise<void> {
  const { settings, postgresUrl, passwordFile } = readVariables(
    environment,
    { settings: JOB_SETTINGS_VARIABLE, ...POSTGRES_ROLES_VARIABLES },
    { settings: 'path', postgresUrl: 'postgres-url', passwordFile: 'path' },
  );
  await preparePostgres(readSettings(settings, PostgresRolesSettings), { url: postgresUrl, passwordFile }, report);
}

/**
 * Migrates the schema, and makes the roles with the passwords of their files and no more rights than they need; on an
 * external server it only migrates. Waits for a server that is still starting. Everything is one transaction; a second
 * run changes nothing.
 */
export async function preparePostgres(
  settings: PostgresRolesSettings,
  access: PostgresAccess,
  report: Report,
): Promise<void> {
  const roles = await Promise.all(
    settings.roles.map(async ({ name, login, passwordFile }) => ({
      name,
      login,
      password: await readSecret(passwordFile),
    })),
  );
  try {
    await retry(() => attempt(settings, access, roles, report), {
      deadlineMs: settings.deadlineSeconds * 1000,
      isTransient,
      onRetry: (error) => report(`waiting for PostgreSQL: ${describe(error)}`),
    });
  } catch (error) {
    if (error instanceof JobFailure) throw error;
    if (error instanceof SchemaTooNew) {
      throw new JobFailure(`${error.message}; deploy the newer ragdock, or restore a backup from before it`);
    }
    const cause = isTransient(error) ? `no success within ${settings.deadlineSeconds} s: ` : '';
    const server = settings.external ? `PostgreSQL at ${new URL(access.url).host}` : 'PostgreSQL';
    throw new JobFailure(
      `${server} was not prepared: ${cause}${describe(error)}${rightsFor(error, settings, access)}`,
      {
        cause: error,
      },
    );
  }
}

async function attempt(
  settings: PostgresRolesSettings,
  access: PostgresAccess,
  roles: readonly Role[],
  report: Report,
): Promise<void> {
  const { database, roles: wanted } = settings;
  const { client, superuser } = await connectAsSuperuser(access, {
    ...settings,
    application: 'ragdock job postgres-roles',
  });
  try {
    if (settings.external) return await migrateAlone(client, report);
    const ours = roles.flatMap(({ name, login }) => (login === undefined ? [name] : [name, ...bothLogins(name)]));
    const clash = ours.find((name) => name === superuser.name);
    if (clash) throw new JobFailure(`role ${clash} is the superuser; give the application a role of its own`);
    await client.query('BEGIN');
    await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
    for (const { version, name } of await migrate(client)) report(`applied migration ${version} (${name})`);
    for (const role of roles) {
      if (await ensureRole(client, role)) report(`role ${role.login ?? role.name} has the password of its file`);
    }
    if (await ensurePassword(client, superuser)) report(`role ${superuser.name} has the newest password of its file`);
    await closeToPublic(client, database, [superuser.name, ...ours], report);
    for (const role of wanted) await GRANT[role.grants](client, database, role);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}

/** The schema is ours on somebody else's server, too; who may log in there and what for is not. */
async function migrateAlone(client: pg.Client, report: Report): Promise<void> {
  await client.query('BEGIN');
  await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
  for (const { version, name } of await migrate(client)) report(`applied migration ${version} (${name})`);
  const tables = HISTORY_TABLES.map((table) => `rag.${table}`);
  const { rows } = await client.query<{ name: string }>(
    "SELECT name FROM unnest($1::text[]) AS name WHERE NOT (has_table_privilege(name, 'SELECT') AND has_table_privilege(name, 'INSERT') AND has_table_privilege(name, 'UPDATE'))",
    [tables],
  );
  if (rows.length > 0) {
    throw new JobFailure(
      `the role may not read and write ${rows.map(({ name }) => name).join(', ')}; GRANT SELECT, INSERT, UPDATE on them`,
    );
  }
  const functions = await client.query<{ name: string }>(
    "SELECT name FROM unnest($1::text[]) AS name WHERE NOT has_function_privilege(name, 'EXECUTE')",
    [HISTORY_FUNCTIONS],
  );
  if (functions.rows.length > 0) {
    const names = functions.rows.map(({ name }) => name).join(', ');
    throw new JobFailure(`the role may not call ${names}; GRANT EXECUTE ON FUNCTION ${names} to it`);
  }
  await client.query('COMMIT');
}

/** What a role lacks that is refused on an external server, where nobody but its owner can give it. */
function rightsFor(error: unknown, { external, database }: PostgresRolesSettings, access: PostgresAccess): string {
  if (!external || codeOf(error) !== INSUFFICIENT_PRIVILEGE) return '';
  const role = pg.escapeIdentifier(decodeURIComponent(new URL(access.url).username));
  return (
    `; let the owner of the database run CREATE SCHEMA rag AUTHORIZATION ${role}, or ` +
    `GRANT CREATE ON DATABASE ${pg.escapeIdentifier(database)} TO ${role}`
  );
}

/** What no role of an application may do. */
const LEAST = 'NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS';

/** True when something was changed. */
async function ensureRole(client: pg.Client, { name, login, password }: Role): Promise<boolean> {
  if (login === undefined) return ensureLogin(client, name, password);
  const role = pg.escapeIdentifier(name);
  // One that logs in itself is of an older deployment, whose clients run until they are replaced.
  const isNew = await create(client, name);
  await client.query(`ALTER ROLE ${role} ${LEAST}`);
  await requireFree(client, { name, login, password });
  const changed = await ensureLogin(client, login, password);
  const inherits = pg.escapeIdentifier(login);
  await client.query(`GRANT ${role} TO ${inherits}`);
  // A session acts as the role, whichever login it came by: what it makes belongs to that.
  await client.query(`ALTER ROLE ${inherits} SET role = ${role}`);
  return changed || isNew;
}

/**
 * Refuse to end a password that clients log in with: of two logins the one whose turn it is was left, and closed, by the
 * deploy before. It is open when a version was skipped, or when that deploy never came to its end.
 */
async function requireFree(
  client: pg.Client,
  { name, login, password }: Role & { readonly login: string },
): Promise<void> {
  const { rows } = await client.query<{ rolname: string; verifier: string | null; used: boolean }>(
    `SELECT rolname, rolpassword AS verifier, EXISTS (SELECT FROM pg_stat_activity WHERE usename = rolname) AS used
       FROM pg_authid WHERE rolname = ANY ($1) AND rolcanlogin AND rolpassword IS NOT NULL`,
    [bothLogins(name)],
  );
  const own = rows.find(({ rolname }) => rolname === login);
  const other = rows.find(({ rolname }) => rolname !== login);
  if (!own || matchesVerifier(password, own.verifier)) return;
  if (other && (other.used || !own.used)) return;
  throw new JobFailure(
    `the new password of ${name} would take the place of the one that its clients log in with as ${login}: ` +
      'a version was skipped. Rotate it once more (ragdock secrets rotate), which is the turn of the other login, and deploy',
  );
}

/** True when something was changed. */
async function ensureLogin(client: pg.Client, name: string, password: string): Promise<boolean> {
  const isNew = await create(client, name);
  await client.query(`ALTER ROLE ${pg.escapeIdentifier(name)} LOGIN INHERIT ${LEAST}`);
  return (await ensurePassword(client, { name, password })) || isNew;
}

/** True when there was none. */
async function create(client: pg.Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
  if (rowCount === 0) await client.query(`CREATE ROLE ${pg.escapeIdentifier(name)} NOLOGIN`);
  return rowCount === 0;
}

/** True when the stored verifier was of another password. */
async function ensurePassword(client: pg.Client, { name, password }: Omit<Role, 'login'>): Promise<boolean> {
  const { rows } = await client.query('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [name]);
  if (matchesVerifier(password, rows[0]?.rolpassword ?? null)) return false;
  const verifier = pg.escapeLiteral(scramVerifier(password));
  await client.query(`ALTER ROLE ${pg.escapeIdentifier(name)} PASSWORD ${verifier}`);
  return true;
}

/**
 * Takes from PUBLIC what PostgreSQL gives it on a new database: to connect and to make temporary tables. Where other
 * roles log in, as in a database that was there before this stack, they may live on that, and it stays.
 */
async function closeToPublic(
  client: pg.Client,
  database: string,
  ours: readonly string[],
  report: Report,
): Promise<void> {
  const { rows } = await client.query<{ rolname: string }>(
    'SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT rolsuper AND rolname <> ALL ($1) ORDER BY rolname',
    [ours],
  );
  if (rows.length > 0) {
    report(`PUBLIC keeps its rights on ${database}, as other roles log in: ${rows.map((r) => r.rolname).join(', ')}`);
    return;
  }
  await client.query(`REVOKE CONNECT, TEMPORARY ON DATABASE ${pg.escapeIdentifier(database)} FROM PUBLIC`);
}

type Wanted = Pick<PostgresRolesSettings['roles'][number], 'name' | 'login'>;

async function grantMonitor(client: pg.Client, database: string, role: Wanted): Promise<void> {
  const name = pg.escapeIdentifier(role.name);
  await client.query(`GRANT CONNECT ON DATABASE ${pg.escapeIdentifier(database)} TO ${name}`);
  await client.query(`GRANT pg_monitor TO ${name}`);
}

async function grantHistory(client: pg.Client, database: string, role: Wanted): Promise<void> {
  await grantTables(client, database, role.name, 'SELECT, INSERT, UPDATE');
  const functions = HISTORY_FUNCTIONS.join(', ');
  await client.query(`GRANT EXECUTE ON FUNCTION ${functions} TO ${pg.escapeIdentifier(role.name)}`);
}

/** Takes back what the role may have had when it was one that writes. */
async function grantRead(client: pg.Client, database: string, role: Wanted): Promise<void> {
  const name = pg.escapeIdentifier(role.name);
  await client.query(`REVOKE ALL ON ALL TABLES IN SCHEMA rag FROM ${name}`);
  await client.query(`REVOKE ALL ON FUNCTION ${[...HISTORY_FUNCTIONS, ...FORMER_FUNCTIONS].join(', ')} FROM ${name}`);
  await grantTables(client, database, role.name, 'SELECT');
}

async function grantTables(client: pg.Client, database: string, role: string, rights: string): Promise<void> {
  const name = pg.escapeIdentifier(role);
  const tables = HISTORY_TABLES.map((table) => `rag.${pg.escapeIdentifier(table)}`).join(', ');
  await client.query(`GRANT CONNECT ON DATABASE ${pg.escapeIdentifier(database)} TO ${name}`);
  await client.query(`GRANT USAGE ON SCHEMA rag TO ${name}`);
  await client.query(`GRANT ${rights} ON ${tables} TO ${name}`);
}

/** Right after right on what holds no text of users: none on the exchanges, and so none on their statistics either. */
async function grantNumbers(client: pg.Client, database: string, role: Wanted): Promise<void> {
  const name = pg.escapeIdentifier(role.name);
  const login = pg.escapeIdentifier(role.login ?? role.name);
  const relations = NUMBERS_RELATIONS.map((relation) => `rag.${pg.escapeIdentifier(relation)}`).join(', ');
  await client.query(`ALTER ROLE ${login} CONNECTION LIMIT ${CONNECTIONS_FOR_NUMBERS}`);
  await client.query(`GRANT CONNECT ON DATABASE ${pg.escapeIdentifier(database)} TO ${name}`);
  await client.query(`GRANT USAGE ON SCHEMA rag TO ${name}`);
  await client.query(`GRANT SELECT ON ${relations} TO ${name}`);
}

const GRANT = { history: grantHistory, read: grantRead, monitor: grantMonitor, numbers: grantNumbers } as const;
