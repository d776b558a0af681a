import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { AcceptedSecrets, every, FileCredential, newest, valid } from '../../src/apps/secret-file.js';
import { temporaryFolder } from '../support/folder.js';
import { until } from '../support/until.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'rag-api-key');
});

const put = (name: string, value: string) => writeFileSync(join(folder, name), value);

describe('newest', () => {
  test('reads the highest version, by number and not by letter, without white space around it', async () => {
    put('rag-api-key.v2', 'two\n');
    put('rag-api-key.v10', ' ten \n');
    put('rag-api-key.v9', 'nine\n');
    expect(await newest(path)).toBe('ten');
  });

  test('looks at versions of this secret only', async () => {
    put('rag-api-key.v1', 'mine');
    put('rag-api-key-old.v7', 'other');
    put('rag-api-key.v8.tmp', 'unfinished');
    put('rag-api-key', 'without a version');
    put('xrag-api-key.v9', 'other');
    expect(await newest(path)).toBe('mine');
  });

  test('names the file when there is no version, or an empty one', async () => {
    await expect(newest(path)).rejects.toThrow(`${path}: there is no version of this secret`);
    put('rag-api-key.v1', ' \n');
    await expect(newest(path)).rejects.toThrow(`${path}.v1: the secret is empty`);
  });
});

test('valid gives the two newest versions, newest first', async () => {
  put('rag-api-key.v1', 'one');
  expect(await valid(path)).toEqual(['one']);
  put('rag-api-key.v2', 'two');
  put('rag-api-key.v3', 'three');
  expect(await valid(path)).toEqual(['three', 'two']);
  expect(await every(path)).toEqual(['three', 'two', 'one']);
});

describe('AcceptedSecrets', () => {
  test('accepts the version before the newest for a time after the newest came', async () => {
    put('rag-api-key.v1', 'one');
    const accepted = new AcceptedSecrets(path, 300);
    expect(await accepted.read()).toEqual(['one']);
    put('rag-api-key.v2', 'two');
    expect(await accepted.read()).toEqual(['two', 'one']);
    await until('the old version ends', async () => (await accepted.read()).length === 1);
    expect(await accepted.read()).toEqual(['two']);
    // A deploy may write the same file anew.
    put('rag-api-key.v2', 'two');
    expect(await accepted.read()).toEqual(['two']);
    put('rag-api-key.v3', 'three');
    expect(await accepted.read()).toEqual(['three', 'two']);
  });

  test('counts from the arrival of the file also where the process started later, whatever its modification time says', async () => {
    put('rag-api-key.v1', 'one');
    put('rag-api-key.v2', 'two');
    utimesSync(join(folder, 'rag-api-key.v2'), 0, 0);
    expect(await new AcceptedSecrets(path, 60_000).read()).toEqual(['two', 'one']);
    await until('time passes', async () => (await new AcceptedSecrets(path, 100).read()).length === 1);
    expect(await new AcceptedSecrets(path, 0).read()).toEqual(['two']);
  });
});

test('FileCredential remembers the secret until it is told to read it again', async () => {
  put('rag-api-key.v1', 'one');
  const credential = await FileCredential.open(path);
  put('rag-api-key.v2', 'two');
  expect(credential.current()).toBe('one');
  expect(await credential.refresh('one')).toBe('two');
  expect(credential.current()).toBe('two');
});

test('FileCredential takes up the version before where a rotation was taken back', async () => {
  put('rag-api-key.v1', 'one');
  put('rag-api-key.v2', 'two');
  const credential = await FileCredential.open(path);
  expect(await credential.refresh('two')).toBe('one');
  expect(await credential.refresh('one')).toBe('two');
});

test('FileCredential stays with what one of several refused calls has found', async () => {
  put('rag-api-key.v1', 'one');
  const credential = await FileCredential.open(path);
  put('rag-api-key.v2', 'two');
  expect(await Promise.all([1, 2, 3].map(() => credential.refresh('one')))).toEqual(['two', 'two', 'two']);
  expect(credential.current()).toBe('two');
  // One that was refused long ago, and says so only now.
  expect(await credential.refresh('one')).toBe('two');
});
