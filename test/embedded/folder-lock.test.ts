import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FolderHeld, type Holder, lockFolder } from '../../src/embedded/folder-lock.js';
import { temporaryFolder } from '../support/folder.js';
import { Program } from '../support/program.js';
import { until } from '../support/until.js';

const LOCKER = new URL('support/locker.ts', import.meta.url);

/** Field 22 of its line in /proc: when a process began. */
const beginOf = (pid: number) =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')[19] ?? null;

const lockOf = (folder: string) => join(folder, 'lock');
const readLock = (folder: string): Holder => JSON.parse(readFileSync(lockOf(folder), 'utf8'));

/** Where this process's id means something. */
const spaceOf = () => ({
  boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
  pids: readlinkSync('/proc/self/ns/pid'),
});

function writeLock(folder: string, fields: Partial<Holder>): Holder {
  const holder = {
    pid: process.pid,
    host: hostname(),
    space: null,
    began: beginOf(process.pid),
    id: randomUUID(),
    since: '2026-01-02T03:04:05.678Z',
    ...fields,
  };
  writeFileSync(lockOf(folder), JSON.stringify(holder));
  return holder;
}

function refusalOf(folder: string): FolderHeld {
  try {
    lockFolder(folder);
  } catch (error) {
    if (error instanceof FolderHeld) return error;
    throw error;
  }
  throw new Error('the folder was taken');
}

/** A process that is about to take folders. */
async function locker(): Promise<Program> {
  const program = Program.start(LOCKER);
  await until('the process is up', () => program.lines.includes('ready'), 20_000);
  return program;
}

/** What comes of it when a process takes a folder: `taken`, or the holder. */
async function attempt(program: Program, folder: string, moment = 0): Promise<string> {
  const before = program.lines.length;
  program.tell(`${moment} ${folder}`);
  await until('the process has tried', () => program.lines.length > before);
  return program.lines[before] ?? '';
}

/** The id of a process that has ended. */
async function deadPid(): Promise<number> {
  const program = Program.start(LOCKER);
  await program.kill();
  return program.pid;
}

describe('a folder that is taken', () => {
  test('says to its own process who has it', () => {
    const folder = temporaryFolder();
    const before = Date.now();
    lockFolder(folder);
    const { holder, file, message } = refusalOf(folder);
    expect(file).toBe(lockOf(folder));
    expect(holder).toMatchObject({ pid: process.pid, host: hostname() });
    expect(Date.parse(holder.since)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(holder.since)).toBeLessThanOrEqual(Date.now());
    expect(message).toContain(String(process.pid));
  });

  test('says so to another process, too', async () => {
    const folder = temporaryFolder();
    lockFolder(folder);
    expect(JSON.parse(await attempt(await locker(), folder))).toEqual(readLock(folder));
  });

  test('is that of another process as long as that lives, and no longer', async () => {
    const folder = temporaryFolder();
    const other = await locker();
    expect(await attempt(other, folder)).toBe('taken');
    expect(refusalOf(folder).holder).toMatchObject({ pid: other.pid, host: hostname() });

    await other.kill();
    expect(existsSync(lockOf(folder))).toBe(true);
    lockFolder(folder);
    expect(readLock(folder).pid).toBe(process.pid);
  });

  test('keeps its lock readable for its user alone', () => {
    const folder = temporaryFolder();
    lockFolder(folder);
    expect(statSync(lockOf(folder)).mode & 0o777).toBe(0o600);
  });

  test('holds its lock and nothing else', () => {
    const folder = temporaryFolder();
    lockFolder(folder);
    refusalOf(folder);
    expect(readdirSync(folder)).toEqual(['lock']);
  });
});

describe('a lock that was left behind', () => {
  test.each<[string, () => Partial<Holder> | Promise<Partial<Holder>>]>([
    ['of a process that is no more', async () => ({ pid: await deadPid(), began: '1' })],
    ['of a process whose id is that of another one now', () => ({ began: '1' })],
    [
      'from before the system was started anew',
      () => ({ space: { boot: 'c1d8ac3a-0000-4000-8000-000000000000', pids: 'pid:[1]' } }),
    ],
    [
      'of a process that is no more, from a system that does not tell when it began',
      async () => ({ pid: await deadPid(), began: null }),
    ],
  ])('%s is taken over', async (_, fields) => {
    const folder = temporaryFolder();
    const dead = writeLock(folder, await fields());
    lockFolder(folder);
    expect(readLock(folder).id).not.toBe(dead.id);
    expect(readLock(folder)).toMatchObject({ pid: process.pid, began: beginOf(process.pid) });
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  test.each<[string, Partial<Holder>]>([
    ['of another machine', { host: 'elsewhere', pid: 1, began: '1' }],
    ['of a container beside this one', { space: { ...spaceOf(), pids: 'pid:[1]' }, pid: 1, began: '1' }],
    ['of a process that lives', {}],
    ['of a process that lives, from a system that does not tell when it began', { began: null }],
  ])('%s is honoured, and as it was', (_, fields) => {
    const folder = temporaryFolder();
    const holder = writeLock(folder, fields);
    expect(refusalOf(folder).holder).toEqual(holder);
    expect(readLock(folder)).toEqual(holder);
  });

  test.each([
    ['empty', ''],
    ['cut off', '{"pid": 12'],
    ['of something else', '{"name": "ragdock"}'],
    [
      'of all processes at once',
      JSON.stringify({ pid: 0, host: hostname(), began: null, id: randomUUID(), since: '' }),
    ],
    ['binary', '\0\u0001\uFFFD'],
  ])('that is %s is taken over', (_, content) => {
    const folder = temporaryFolder();
    writeFileSync(lockOf(folder), content);
    lockFolder(folder);
    expect(readLock(folder).pid).toBe(process.pid);
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  test('that was being taken over by a process that was killed meanwhile is taken over', async () => {
    const folder = temporaryFolder();
    const dead = writeLock(folder, { began: '1' });
    const claim = `lock.${dead.id}.claim`;
    writeFileSync(join(folder, claim), JSON.stringify({ ...dead, pid: await deadPid(), id: randomUUID() }));
    lockFolder(folder);
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  test('that is being taken over by a process that lives is that one’s', () => {
    const folder = temporaryFolder();
    const dead = writeLock(folder, { began: '1' });
    const heir = { ...dead, began: beginOf(process.pid), id: randomUUID() };
    writeFileSync(join(folder, `lock.${dead.id}.claim`), JSON.stringify(heir));
    expect(refusalOf(folder).holder).toEqual(heir);
    expect(readLock(folder)).toEqual(dead);
  });
});

test('a lock that cannot be read is an error, and stays', () => {
  const folder = temporaryFolder();
  mkdirSync(lockOf(folder));
  expect(() => lockFolder(folder)).toThrow('EISDIR');
  expect(readdirSync(folder)).toEqual(['lock']);
});

describe('a release', () => {
  test('lets others in', async () => {
    const folder = temporaryFolder();
    lockFolder(folder)();
    expect(readdirSync(folder)).toEqual([]);
    expect(await attempt(await locker(), folder)).toBe('taken');
  });

  test('leaves the lock of another one', () => {
    const folder = temporaryFolder();
    const release = lockFolder(folder);
    const other = writeLock(folder, { host: 'elsewhere' });
    release();
    expect(readLock(folder)).toEqual(other);
  });

  test('may come twice, and after the folder is gone', () => {
    const folder = temporaryFolder();
    const release = lockFolder(folder);
    release();
    const again = lockFolder(folder);
    release();
    expect(existsSync(lockOf(folder))).toBe(true);
    again();
    expect(again).not.toThrow();
  });
});

test('of processes that come at the same moment, to whatever is there, one succeeds', async () => {
  const programs = await Promise.all(Array.from({ length: 6 }, locker));
  const prepare: readonly ((folder: string) => unknown)[] = [
    () => undefined,
    (folder) => writeLock(folder, { began: '1' }),
    (folder) => writeFileSync(lockOf(folder), '{'),
  ];
  for (let round = 0; round < 30; round += 1) {
    const folder = temporaryFolder();
    prepare[round % prepare.length]?.(folder);
    const moment = Date.now() + 20;
    const outcomes = await Promise.all(programs.map((program) => attempt(program, folder, moment)));
    const winner = programs[outcomes.indexOf('taken')];
    expect(
      outcomes.filter((outcome) => outcome === 'taken'),
      `round ${round}`,
    ).toHaveLength(1);
    expect(readLock(folder).pid, `round ${round}`).toBe(winner?.pid);
    expect(readdirSync(folder), `round ${round}`).toEqual(['lock']);
  }
});
