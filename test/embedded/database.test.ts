import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Database, faultOf } from '../../src/embedded/database.js';
import { EmbeddedHistory } from '../../src/embedded/history.js';
import { RagFailure } from '../../src/rag/failure.js';
import { sharedDatabase } from '../support/database.js';
import { temporaryFolder } from '../support/folder.js';
import { Program } from '../support/program.js';
import { until } from '../support/until.js';

const shared = sharedDatabase();

const ask = (text: string, ...values: unknown[]) => shared.current.query<{ value: unknown }>({ text, values });
const single = async (text: string, ...values: unknown[]) => (await ask(text, ...values)).rows[0]?.value;

/** What WebAssembly throws when it traps; TypeScript knows it in browsers alone. */
const newTrap = () => Object.assign(new Error('unreachable'), { name: 'RuntimeError' });

/** Makes the program that runs the database fail as a trap does. */
const trap = () =>
  shared.current.transaction(() => {
    throw newTrap();
  });

describe('a statement', () => {
  test('gives its rows, and how many it affected', async () => {
    await ask('CREATE TABLE numbers (value integer PRIMARY KEY)');
    expect((await ask('INSERT INTO numbers VALUES ($1), ($2)', 1, 2)).affected).toBe(2);
    expect((await ask('SELECT value FROM numbers ORDER BY value')).rows).toEqual([{ value: 1 }, { value: 2 }]);
    expect((await ask('UPDATE numbers SET value = 3 WHERE value = 9')).affected).toBe(0);
  });

  test('that PostgreSQL refuses is its caller’s fault, and the next one works', async () => {
    await expect(ask('SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' });
    await ask('CREATE TABLE positive (value integer CHECK (value > 0))');
    const refused = await ask('INSERT INTO positive VALUES (-1)').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: '23514' });
    expect(refused).not.toBeInstanceOf(RagFailure);
    expect(await single('SELECT 1 AS value')).toBe(1);
  });

  test('about a table that is missing means that the database cannot be used', async () => {
    await expect(ask('SELECT * FROM nowhere')).rejects.toMatchObject({ kind: 'history-unavailable' });
  });

  test('waits for those before it', async () => {
    await ask('CREATE TABLE turns (value serial, turn integer)');
    await Promise.all(Array.from({ length: 20 }, (_, turn) => ask('INSERT INTO turns (turn) VALUES ($1)', turn)));
    const { rows } = await ask('SELECT turn AS value FROM turns ORDER BY turns.value');
    expect(rows.map(({ value }) => value)).toEqual(Array.from({ length: 20 }, (_, turn) => turn));
  });
});

describe('a transaction', () => {
  test('that throws leaves nothing behind, and throws that', async () => {
    await ask('CREATE TABLE kept (value integer)');
    const reason = new Error('changed my mind');
    const work = shared.current.transaction(async (client) => {
      await client.query('INSERT INTO kept VALUES ($1)', [1]);
      await client.query('INSERT INTO kept VALUES (2); INSERT INTO kept VALUES (3)');
      expect((await client.query('SELECT 1 AS one; SELECT count(*)::integer AS count FROM kept')).rows).toEqual([
        { count: 3 },
      ]);
      throw reason;
    });
    await expect(work).rejects.toBe(reason);
    expect(await single('SELECT count(*)::integer AS value FROM kept')).toBe(0);
  });

  test('that ends is kept as a whole', async () => {
    await ask('CREATE TABLE both_of_them (value integer)');
    const given = await shared.current.transaction(async (client) => {
      await client.query('INSERT INTO both_of_them VALUES (1)');
      await client.query('INSERT INTO both_of_them VALUES (2)');
      return 'done';
    });
    expect(given).toBe('done');
    expect(await single('SELECT count(*)::integer AS value FROM both_of_them')).toBe(2);
  });
});

describe('whose fault an error is:', () => {
  const withCode = (code: string) => Object.assign(new Error('no'), { code });

  test.each<[string, unknown, ReturnType<typeof faultOf>]>([
    ['a broken constraint', withCode('23505'), 'own'],
    ['a division by zero', withCode('22012'), 'own'],
    ['a full disk', withCode('53100'), 'unavailable'],
    ['too little memory', withCode('53200'), 'unavailable'],
    ['an input or output error', withCode('58030'), 'unavailable'],
    ['a cancelled statement', withCode('57014'), 'unavailable'],
    ['a table that is missing', withCode('42P01'), 'unavailable'],
    ['a damaged page', withCode('XX001'), 'own'],
    ['a trap', newTrap(), 'broken'],
    ['the end of the program, which is no Error', { name: 'ExitStatus', status: 1 }, 'broken'],
    ['a system error of five letters', withCode('EBUSY'), 'own'],
    ['a system error with a digit', withCode('E2BIG'), 'own'],
    ['an error of ours', new Error('no'), 'own'],
    ['nothing', undefined, 'own'],
    ['a text', 'no', 'own'],
  ])('%s', (_, cause, fault) => {
    expect(faultOf(cause)).toBe(fault);
  });
});

describe('when the program breaks', () => {
  test('the statement fails as unavailable, the next one finds what was kept', async () => {
    await ask('CREATE TABLE survivors (value integer)');
    await ask('INSERT INTO survivors VALUES (7)');
    const failure = await trap().catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: 'history-unavailable', cause: { name: 'RuntimeError' } });
    expect(await single('SELECT value FROM survivors')).toBe(7);
  });

  test('it is started once, however many statements wait for it', async () => {
    await ask('CREATE TABLE waiting (value integer)');
    await expect(trap()).rejects.toBeInstanceOf(RagFailure);
    // Two programs would write over one another.
    const starts = vi.spyOn(PGlite, 'create');
    onTestFinished(() => starts.mockRestore());
    await Promise.all(Array.from({ length: 5 }, (_, value) => ask('INSERT INTO waiting VALUES ($1)', value)));
    expect(starts).toHaveBeenCalledTimes(1);
    expect(await single('SELECT count(*)::integer AS value FROM waiting')).toBe(5);
  });
});

test('a database that is closed stays closed for whoever comes late', async () => {
  const folder = join(temporaryFolder(), 'database');
  const database = await Database.create(folder);
  const one = { text: 'SELECT 1', values: [] };
  const last = database.query(one);
  await last;
  await database.close();
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await expect(database.query(one)).rejects.toMatchObject({ kind: 'history-unavailable' });
  }
  await database.close();
});

test('a folder without a database is not opened as an empty one', async () => {
  await expect(Database.open(temporaryFolder())).rejects.toThrow('no database');
});

test('what was acknowledged is there after the process was killed, three times', { timeout: 120_000 }, async () => {
  const folder = join(temporaryFolder(), 'database');
  const created = await Database.create(folder);
  await created.migrate();
  await created.close();
  const acknowledged: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const program = Program.start(new URL('support/inserter.ts', import.meta.url), folder);
    await until('exchanges are acknowledged', () => program.lines.length >= 50 + 20 * round, 30_000);
    await program.kill();
    acknowledged.push(...program.lines);
    const database = await Database.open(folder);
    const history = new EmbeddedHistory(database);
    for (const id of acknowledged)
      expect(await history.find(id), `round ${round}`).toMatchObject({ id, status: 'running' });
    // At most the one that was on its way in each round.
    expect(await history.count()).toBeLessThanOrEqual(acknowledged.length + round + 1);
    await database.close();
  }
});
