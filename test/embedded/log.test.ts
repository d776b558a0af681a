import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { fileLogger, type Notice } from '../../src/embedded/log.js';
import { RagFailure } from '../../src/rag/failure.js';
import { temporaryFolder } from '../support/folder.js';

/** The logger of an app, the file that it writes and what it told. */
function open(folder = temporaryFolder()) {
  const file = join(folder, 'ragdock.log');
  const notices: Notice[] = [];
  const { log } = Fastify({ logger: fileLogger(file, (notice) => notices.push(notice)) ?? false });
  return { file, notices, log };
}

const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('a line', () => {
  test('is kept as JSON, in a file for its user alone', () => {
    const { file, notices, log } = open();
    log.info({ course: 'demo' }, 'question ended');
    log.info('another one');
    expect(linesOf(file)).toEqual([
      { level: 'info', time: expect.any(String), course: 'demo', msg: 'question ended' },
      { level: 'info', time: expect.any(String), msg: 'another one' },
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(notices).toEqual([]);
  });

  test.each(['warn', 'error', 'fatal'] as const)('of level %s is told, too', (level) => {
    const { file, notices, log } = open();
    log[level]({ component: 'history', err: new RagFailure('history-unavailable', 'no room') }, 'degraded');
    expect(notices).toEqual([{ level, text: 'degraded: history: no room' }]);
    expect(linesOf(file)).toMatchObject([
      { level, msg: 'degraded', component: 'history', err: { message: 'no room' } },
    ]);
  });

  test('names the dependency, or nothing', () => {
    const { notices, log } = open();
    log.warn({ dependency: 'llm' }, 'not ready');
    log.warn('alone');
    expect(notices.map(({ text }) => text)).toEqual(['not ready: llm', 'alone']);
  });

  test('that only speaks of a warning is not told', () => {
    const { notices, log } = open();
    log.info({ quoted: '"level":"warn"', nested: { level: 'error' } }, 'all is well');
    expect(notices).toEqual([]);
  });

  test('follows those that are there', () => {
    const folder = temporaryFolder();
    open(folder).log.info('first');
    const { file, log } = open(folder);
    log.info('second');
    expect(linesOf(file).map(({ msg }) => msg)).toEqual(['first', 'second']);
  });
});

test('a file that cannot be written is told at each line, and throws nothing', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'ragdock.log'));
  const { notices, log } = open(folder);
  log.info('lost');
  log.warn('told all the same');
  expect(notices.map(({ text }) => text)).toEqual([
    expect.stringMatching(/^the log cannot be written: EISDIR/),
    'told all the same',
    expect.stringMatching(/^the log cannot be written: EISDIR/),
  ]);
});

describe('a log of the start before', () => {
  const MEBIBYTE = 1024 * 1024;

  test('that is large is put aside, in place of an older one', () => {
    const folder = temporaryFolder();
    const [file, aside] = [join(folder, 'ragdock.log'), join(folder, 'ragdock.log.1')];
    writeFileSync(file, 'x'.repeat(5 * MEBIBYTE + 1));
    writeFileSync(aside, 'older');
    open(folder).log.info('new');
    expect(statSync(aside).size).toBe(5 * MEBIBYTE + 1);
    expect(linesOf(file).map(({ msg }) => msg)).toEqual(['new']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('that is not goes on', () => {
    const folder = temporaryFolder();
    const file = join(folder, 'ragdock.log');
    writeFileSync(file, 'x'.repeat(5 * MEBIBYTE));
    open(folder).log.info('new');
    expect(statSync(file).size).toBeGreaterThan(5 * MEBIBYTE);
    expect(existsSync(`${file}.1`)).toBe(false);
  });

  test('that cannot be put aside is told, and goes on', () => {
    const folder = temporaryFolder();
    const file = join(folder, 'ragdock.log');
    writeFileSync(file, 'x'.repeat(5 * MEBIBYTE + 1));
    mkdirSync(`${file}.1`);
    const { notices, log } = open(folder);
    log.info('new');
    expect(notices.map(({ text }) => text)).toEqual([expect.stringMatching(/^the log cannot be written: /)]);
    expect(statSync(file).size).toBeGreaterThan(5 * MEBIBYTE + 1);
  });
});
