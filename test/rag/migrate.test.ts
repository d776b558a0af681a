import { PGlite } from '@electric-sql/pglite';
import { expect, onTestFinished, test } from 'vitest';
import { type MigrationClient, migrate } from '../../src/rag/history/migrate.js';
import { MIGRATIONS } from '../../src/rag/history/migrations.js';

/** A database whose owner prepared it by these statements, and a connection of the role `rag_api`. */
async function preparedBy(...statements: readonly string[]): Promise<{ owner: PGlite; role: MigrationClient }> {
  const owner = await PGlite.create();
  onTestFinished(() => owner.close());
  await owner.exec(`CREATE ROLE rag_api LOGIN; ${statements.join(';')}`);
  // Text without values may hold several statements.
  const client = {
    query: async (text: string, values?: unknown[]) =>
      values ? owner.query<Record<string, unknown>>(text, values) : ((await owner.exec(text)).at(-1) ?? { rows: [] }),
  } as MigrationClient;
  return { owner, role: client };
}

const asRole = async (owner: PGlite, work: () => Promise<unknown>): Promise<unknown> => {
  await owner.exec('SET ROLE rag_api');
  try {
    return await work();
  } finally {
    await owner.exec('RESET ROLE');
  }
};

test('a role that was given the schema, and nothing of the database, migrates it', async () => {
  const { owner, role } = await preparedBy('CREATE SCHEMA rag AUTHORIZATION rag_api');

  expect(await asRole(owner, () => migrate(role))).toEqual(MIGRATIONS);
  expect(await asRole(owner, () => migrate(role))).toEqual([]);
});

test('a role that may read and write what somebody else migrated has nothing to do', async () => {
  const { owner, role } = await preparedBy();
  await migrate(role);
  await owner.exec(
    'GRANT USAGE ON SCHEMA rag TO rag_api; GRANT SELECT ON rag.schema_migrations TO rag_api;' +
      'GRANT SELECT, INSERT, UPDATE ON rag.exchanges TO rag_api',
  );

  expect(await asRole(owner, () => migrate(role))).toEqual([]);
});

test('a role that may make no schema is refused as PostgreSQL refuses it', async () => {
  const { owner, role } = await preparedBy();

  await expect(asRole(owner, () => migrate(role))).rejects.toMatchObject({ code: '42501' });
});
