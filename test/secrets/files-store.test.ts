import { chmodSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { project, put } from '../config/project.js';
import { storeOf } from './project.js';

const mode = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);

describe('a value', () => {
  test('is one file, for its owner alone, with exactly the bytes given', () => {
    const cwd = project();
    const store = storeOf(cwd);
    const before = process.umask(0);
    try {
      expect(store.write('api-key', 1, 'värde')).toBe(true);
    } finally {
      process.umask(before);
    }
    const path = join(cwd, '.ragdock/secrets/dev/api-key.v1');
    expect(store.path('api-key', 1)).toBe(path);
    expect(readFileSync(path)).toEqual(Buffer.from('värde'));
    expect([mode(path), mode(join(cwd, '.ragdock/secrets/dev')), mode(join(cwd, '.ragdock/secrets'))]).toEqual([
      '600',
      '700',
      '700',
    ]);
    expect(store.read('api-key', 1)).toBe('värde');
    expect(store.read('api-key', 2)).toBeUndefined();
  });

  test('is not replaced by chance, and replaced on purpose', () => {
    const store = storeOf(project());
    expect(store.write('api-key', 1, 'first')).toBe(true);
    expect(store.write('api-key', 1, 'second')).toBe(false);
    expect(store.read('api-key', 1)).toBe('first');
    expect(store.write('api-key', 1, 'third', true)).toBe(true);
    expect(store.read('api-key', 1)).toBe('third');
    expect(mode(store.path('api-key', 1))).toBe('600');
  });

  test('leaves no other file behind, however the write ends', () => {
    const store = storeOf(project());
    store.write('api-key', 1, 'a');
    store.write('api-key', 1, 'b');
    store.write('api-key', 1, 'c', true);
    expect(readdirSync(store.folder)).toEqual(['api-key.v1']);
  });

  test('that cannot be written is an error and no half value', () => {
    const cwd = project();
    put(cwd, '.ragdock/secrets/dev', 'a file where the folder belongs');
    expect(() => storeOf(cwd).write('api-key', 1, 'a')).toThrow(/EEXIST|ENOTDIR/);
  });
});

test('folders that are open are closed by the next write', () => {
  const store = storeOf(project());
  store.write('a', 1, 'x');
  chmodSync(store.folder, 0o755);
  store.write('b', 1, 'x');
  expect(mode(store.folder)).toBe('700');
});

test('the folder of all secrets is ignored by git from its first moment, and not again when somebody decided otherwise', () => {
  const cwd = project();
  storeOf(cwd).write('a', 1, 'x');
  const ignore = join(cwd, '.ragdock/secrets/.gitignore');
  expect(readFileSync(ignore, 'utf8').split('\n')).toContain('*');
  writeFileSync(ignore, 'own\n');
  storeOf(cwd).write('b', 1, 'x');
  expect(readFileSync(ignore, 'utf8')).toBe('own\n');
});

test('the list holds every version by name and number, and nothing else', () => {
  const store = storeOf(project());
  expect(store.list()).toEqual([]);
  for (const version of [10, 2, 1]) store.write('b', version, 'x');
  store.write('a', 1, 'x');
  for (const other of ['b.v0', 'b.v1.abc.tmp', 'B.v1', 'notes.txt']) writeFileSync(join(store.folder, other), '');
  expect(store.list()).toEqual([
    { name: 'a', version: 1 },
    { name: 'b', version: 1 },
    { name: 'b', version: 2 },
    { name: 'b', version: 10 },
  ]);
});
