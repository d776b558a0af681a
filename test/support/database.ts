import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { Database } from '../../src/embedded/database.js';

/** A migrated database for all tests of a file. */
export function sharedDatabase(): { readonly folder: string; readonly current: Database } {
  const folder = mkdtempSync(join(tmpdir(), 'ragdock-test-'));
  let database: Database | undefined;

  beforeAll(async () => {
    database = await Database.create(join(folder, 'database'));
    await database.migrate();
  }, 60_000);

  afterAll(async () => {
    await database?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  return {
    folder: join(folder, 'database'),
    get current() {
      if (!database) throw new Error('the database was not started');
      return database;
    },
  };
}
