import { MIGRATION_LOCK, MIGRATIONS, type Migration } from './migrations.js';

/** A connection to PostgreSQL inside a transaction. Text without values may hold several statements. */
export interface MigrationClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
}

/**
 * Only what is missing is made: IF NOT EXISTS asks for the right to make it even where it is there, and a role may have
 * been given the schema, or only its tables.
 */
async function prepare(client: MigrationClient): Promise<void> {
  const { rows } = await client.query(
    "SELECT to_regnamespace('rag') IS NULL AS schema, to_regclass('rag.schema_migrations') IS NULL AS migrations",
  );
  const [missing] = rows;
  if (missing?.schema) await client.query('CREATE SCHEMA rag');
  if (!missing?.migrations) return;
  await client.query(`
    CREATE TABLE rag.schema_migrations (
      version integer PRIMARY KEY,
      name text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`);
}

/** The database was migrated by a newer version of ragdock; this one does not know what it would write into. */
export class SchemaTooNew extends Error {
  override readonly name = 'SchemaTooNew';
}

/**
 * Brings the schema `rag` up to date and gives the migrations that were applied, none when it was. Must run inside a
 * transaction: a second starter waits for its end, and a migration that fails leaves nothing behind.
 */
export async function migrate(client: MigrationClient): Promise<readonly Migration[]> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
  await prepare(client);
  const { rows } = await client.query('SELECT version FROM rag.schema_migrations ORDER BY version');
  const applied = new Set(rows.map(({ version }) => Number(version)));
  const newest = MIGRATIONS.at(-1)?.version ?? 0;
  const unknown = [...applied].filter((version) => version > newest);
  if (unknown.length > 0) {
    throw new SchemaTooNew(`schema rag has version ${Math.max(...unknown)}; this ragdock knows ${newest} at most`);
  }
  const missing = MIGRATIONS.filter(({ version }) => !applied.has(version));
  for (const { version, name, sql } of missing) {
    await client.query(sql);
    await client.query('INSERT INTO rag.schema_migrations (version, name) VALUES ($1, $2)', [version, name]);
  }
  return missing;
}
