import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filesBelow } from '../../src/apps/bundle.js';
import { holdDataFolder, LOG_FILE } from '../../src/embedded/data-folder.js';
import { RagdockError } from '../../src/errors/problem.js';
import { temporaryFolder } from '../support/folder.js';

const COUNT = { text: 'SELECT count(*)::integer AS count FROM rag.exchanges', values: [] };
const INSERT = {
  text: `INSERT INTO rag.exchanges (id, request_id, user_name, course, question, model)
         VALUES (gen_random_uuid(), 'r', 'u', 'demo', 'q', 'm')`,
  values: [],
};

/** A folder with one exchange, which tests copy. */
let template: string;

beforeAll(async () => {
  template = mkdtempSync(join(tmpdir(), 'ragdock-test-'));
  const folder = await openDataFolder(template);
  await folder.database.query(INSERT);
  await folder.close();
}, 60_000);

afterAll(() => rmSync(template, { recursive: true, force: true }));

/** A folder that was used before. */
function usedFolder(): string {
  const folder = temporaryFolder();
  cpSync(template, folder, { recursive: true });
  return folder;
}

/** A folder that is held, with its database open. */
async function openDataFolder(path: string) {
  const folder = holdDataFolder(path);
  try {
    const database = await folder.open();
    return { ...folder, database, close: () => database.close().finally(folder.release) };
  } catch (error) {
    folder.release();
    throw error;
  }
}
type Opened = Awaited<ReturnType<typeof openDataFolder>>;

/** Opens a folder, looks at it and closes it. */
async function open<T>(path: string, look: (folder: Opened) => T | Promise<T>): Promise<T> {
  const folder = await openDataFolder(path);
  try {
    return await look(folder);
  } finally {
    await folder.close();
  }
}

const countIn = (path: string) =>
  open(path, async ({ database }) => (await database.query<{ count: number }>(COUNT)).rows[0]?.count);

async function refusalOf(path: string): Promise<RagdockError> {
  try {
    await (await openDataFolder(path)).close();
  } catch (error) {
    if (error instanceof RagdockError) return error;
    throw error;
  }
  throw new Error('the folder was opened');
}

/** Names and contents of all files. */
const contentOf = (folder: string) =>
  new Map(filesBelow(folder).map((file) => [file, readFileSync(join(folder, file)).toString('base64')]));

describe('a folder', () => {
  test('that is missing is made, with what is above it, for its user alone', async () => {
    const path = join(temporaryFolder(), 'a/b');
    const isNew = await open(path, ({ path: opened, isNew }) => {
      expect(opened).toBe(path);
      expect(readdirSync(path).sort()).toEqual(['.gitignore', 'database', 'format.json', 'lock']);
      return isNew;
    });
    expect(isNew).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(JSON.parse(readFileSync(join(path, 'format.json'), 'utf8'))).toEqual({ format: 1, complete: true });
    expect(readdirSync(path).sort()).toEqual(['.gitignore', 'database', 'format.json']);
  });

  test('that was used before has what was kept in it', async () => {
    const path = usedFolder();
    expect(await open(path, ({ isNew }) => isNew)).toBe(false);
    expect(await countIn(path)).toBe(1);
  });

  test('may hold its log, one that was put aside, and what a killed process left', async () => {
    const path = usedFolder();
    const left = [LOG_FILE, `${LOG_FILE}.1`, '.format.json.0123456789ab.tmp', 'lock.0b7e', 'lock.0b7e.claim'];
    for (const name of left) writeFileSync(join(path, name), 'kept');
    expect(await countIn(path)).toBe(1);
    for (const name of left) expect(readFileSync(join(path, name), 'utf8'), name).toBe('kept');
  });

  test('whose database was cut off while it was made is made anew', async () => {
    const path = usedFolder();
    writeFileSync(join(path, 'format.json'), '{"format": 1, "complete": false}');
    rmSync(join(path, 'database/global'), { recursive: true });
    expect(await open(path, ({ isNew }) => isNew)).toBe(true);
    expect(await countIn(path)).toBe(0);
  });

  test('that has a database and does not say of what kind is refused, and keeps it', async () => {
    const path = usedFolder();
    const file = join(path, 'format.json');
    rmSync(file);
    expect(await refusalOf(path)).toMatchObject({ code: 'DATA_FOLDER_UNUSABLE' });
    writeFileSync(file, '{"format": 1, "complete": true}');
    expect(await countIn(path)).toBe(1);
  });

  test('may hold what systems put into folders by themselves', async () => {
    const path = temporaryFolder();
    for (const name of ['.DS_Store', 'Thumbs.db']) writeFileSync(join(path, name), '');
    expect(await countIn(path)).toBe(0);
    expect(readFileSync(join(path, '.gitignore'), 'utf8')).toBe('*\n');
  });

  test('is closed for others while it is open, and for them to open after that', async () => {
    const path = usedFolder();
    await open(path, async () => {
      const error = await refusalOf(path);
      expect(error).toMatchObject({ code: 'DATA_FOLDER_IN_USE', exitCode: 2 });
      expect(error.problems[0].message).toContain(`process ${process.pid} on ${hostname()}`);
      expect(error.problems[0].remedy).toContain('--data-dir');
    });
    expect(await countIn(path)).toBe(1);
  });
});

describe('a folder that was made by a newer version is refused and unchanged', () => {
  test('when it is laid out otherwise', async () => {
    const path = usedFolder();
    // Neither what it says nor what it holds is known to this version.
    writeFileSync(join(path, 'format.json'), '{"format": 2, "state": "ready"}');
    writeFileSync(join(path, 'vectors.bin'), 'of tomorrow');
    const before = contentOf(path);
    const error = await refusalOf(path);
    expect(error).toMatchObject({ code: 'DATA_FOLDER_TOO_NEW', exitCode: 2 });
    expect(error.problems[0].message).toBe('the folder has format 2; this version of ragdock knows 1');
    expect(contentOf(path)).toEqual(before);
  });

  test('when its tables are others', async () => {
    const path = usedFolder();
    const text = "INSERT INTO rag.schema_migrations (version, name) VALUES (999, 'of tomorrow')";
    await open(path, ({ database }) => database.query({ text, values: [] }));
    const error = await refusalOf(path);
    expect(error.code).toBe('DATA_FOLDER_TOO_NEW');
    expect(error.problems[0].message).toContain('schema rag has version 999');
    expect(readdirSync(path).sort()).toEqual(['.gitignore', 'database', 'format.json']);
    expect((await refusalOf(path)).code).toBe('DATA_FOLDER_TOO_NEW');
  });
});

describe('a folder that cannot be used is refused', () => {
  test('when somebody else has put a file there, which stays the only one', async () => {
    const path = temporaryFolder();
    writeFileSync(join(path, 'thesis.docx'), 'years of work');
    const error = await refusalOf(path);
    expect(error).toMatchObject({ code: 'DATA_FOLDER_UNUSABLE', exitCode: 2 });
    expect(error.problems[0].message).toContain("'thesis.docx'");
    expect(contentOf(path)).toEqual(new Map([['thesis.docx', Buffer.from('years of work').toString('base64')]]));
  });

  test.each<[string, () => string]>([
    ['is a file', () => join(template, 'format.json')],
    ['is below a file', () => join(template, 'format.json/below')],
    ['is where nobody can write', () => '/proc/ragdock'],
  ])('when its path %s', async (_, pathOf) => {
    const path = pathOf();
    const error = await refusalOf(path);
    expect(error.code).toBe('DATA_FOLDER_UNUSABLE');
    expect(error.problems[0].file).toBe(path);
  });

  test.each([
    ['is no JSON', '{"format'],
    ['says nothing of a format', '{"version": 1}'],
    ['says a format that never was', '{"format": 0, "complete": false}'],
    ['does not say whether all is there', '{"format": 1}'],
    ['is empty', ''],
  ])('when its format file %s, and the database stays', async (_, content) => {
    const path = usedFolder();
    writeFileSync(join(path, 'format.json'), content);
    const before = contentOf(path);
    expect((await refusalOf(path)).code).toBe('DATA_FOLDER_UNUSABLE');
    expect(contentOf(path)).toEqual(before);
  });
});

describe('a folder whose database does not start is refused, and not held', () => {
  test.each<[string, (database: string) => void]>([
    ['without its control file', (database) => rmSync(join(database, 'global/pg_control'))],
    [
      'with a control file that was overwritten',
      (database) => writeFileSync(join(database, 'global/pg_control'), 'x'.repeat(8192)),
    ],
    ['without its version', (database) => rmSync(join(database, 'PG_VERSION'))],
    [
      'without its log',
      (database) => {
        for (const file of readdirSync(join(database, 'pg_wal')))
          rmSync(join(database, 'pg_wal', file), { recursive: true });
      },
    ],
    ['that is gone', (database) => rmSync(database, { recursive: true })],
    [
      'that is a file',
      (database) => {
        rmSync(database, { recursive: true });
        writeFileSync(database, '');
      },
    ],
  ])('%s', async (_, damage) => {
    const path = usedFolder();
    damage(join(path, 'database'));
    const error = await refusalOf(path);
    expect(error).toMatchObject({ code: 'DATA_FOLDER_DAMAGED', exitCode: 1 });
    expect(error.problems[0]).toMatchObject({ file: join(path, 'database'), message: expect.stringMatching(/\S/) });
    expect(existsSync(join(path, 'lock'))).toBe(false);
    expect((await refusalOf(path)).code).toBe('DATA_FOLDER_DAMAGED');
  });
});

test('a folder is given back although its database fails while it is closed', async () => {
  const path = usedFolder();
  const folder = await openDataFolder(path);
  const { close } = folder.database;
  folder.database.close = async () => {
    await close.call(folder.database);
    throw new Error('the disk is gone');
  };
  await expect(folder.close()).rejects.toThrow('the disk is gone');
  expect(await countIn(path)).toBe(1);
});
