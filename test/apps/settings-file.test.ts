import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readSettings, readVariables } from '../../src/apps/settings-file.js';
import { RagdockError } from '../../src/errors/problem.js';
import { temporaryFolder } from '../support/folder.js';

const NAMES = { api: 'API_URL', database: 'DATABASE_URL', key: 'KEY_FILE', other: 'OTHER_FILE' } as const;
const KINDS = { api: 'http-url', database: 'postgres-url', key: 'path', other: 'optional-path' } as const;
const GOOD = { API_URL: 'http://api:8000', DATABASE_URL: 'postgresql://role@db:5432/ml_db', KEY_FILE: '/run/key' };

function problemsOf(action: () => unknown) {
  try {
    action();
  } catch (error) {
    if (error instanceof RagdockError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('readVariables', () => {
  test('gives the values under the names of the code', () => {
    expect(readVariables({ ...GOOD, OTHER_FILE: '/run/other' }, NAMES, KINDS)).toEqual({
      api: 'http://api:8000',
      database: 'postgresql://role@db:5432/ml_db',
      key: '/run/key',
      other: '/run/other',
    });
    expect(readVariables({ ...GOOD, OTHER_FILE: '' }, NAMES, KINDS).other).toBeUndefined();
  });

  test('names every variable that is missing or wrong, with exit code 2', () => {
    const error = problemsOf(() =>
      readVariables({ API_URL: 'api:8000', DATABASE_URL: 'postgresql://db/x' }, NAMES, KINDS),
    );
    expect(error.exitCode).toBe(2);
    expect(error.problems.map(({ path, message }) => `${path} ${message}`)).toEqual([
      'API_URL expected an address like http://host:port',
      'DATABASE_URL the address names no user: postgresql://db/x',
      'KEY_FILE the environment variable is not set',
    ]);
  });

  test('refuses a password in an address, and does not repeat it', () => {
    const error = problemsOf(() =>
      readVariables({ ...GOOD, DATABASE_URL: 'postgresql://role:hunter2@db/x' }, NAMES, KINDS),
    );
    expect(error.message).toContain('passwords come from files only');
    expect(error.message).not.toContain('hunter2');
  });
});

describe('readSettings', () => {
  const Schema = z.strictObject({ port: z.int(), limits: z.strictObject({ streams: z.int().min(1) }) });
  const file = (text: string) => {
    const path = join(temporaryFolder(), 'settings.json');
    writeFileSync(path, text);
    return path;
  };

  test('gives what the schema makes of the file', () => {
    expect(readSettings(file('{"port":1,"limits":{"streams":2}}'), Schema)).toEqual({
      port: 1,
      limits: { streams: 2 },
    });
  });

  test('names every problem with its path, with exit code 2', () => {
    const path = file('{"port":"1","limits":{"streams":0},"typo":1}');
    const error = problemsOf(() => readSettings(path, Schema));
    expect(error.exitCode).toBe(2);
    expect(error.problems.map((problem) => [problem.file, problem.path])).toEqual([
      [path, 'port'],
      [path, 'limits.streams'],
      [path, '(root)'],
    ]);
  });

  test('says when the file is not there or not JSON', () => {
    expect(problemsOf(() => readSettings('/no/such/file', Schema)).code).toBe('FILE_UNREADABLE');
    expect(problemsOf(() => readSettings(file('{'), Schema)).message).toContain('not JSON');
  });
});
