import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { SopsStore } from '../../src/secrets/sops/store.js';
import { FILE, Vault } from './support/vault.js';

/** What was put on the disk, by inode, and what was renamed meanwhile. */
const calls: string[] = vi.hoisted(() => []);

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return {
    ...fs,
    fsyncSync: (descriptor: number) => {
      calls.push(`fsync ${fs.fstatSync(descriptor).ino}`);
      fs.fsyncSync(descriptor);
    },
    renameSync: (from: string, to: string) => {
      calls.push(`rename ${fs.statSync(from).ino}`);
      fs.renameSync(from, to);
    },
  };
});

afterEach(() => void vi.unstubAllEnvs());

test('the encrypted file is on the disk before it has its name, and its name before it is said to be saved', async () => {
  const { cwd } = new Vault();
  const { signal } = new AbortController();
  const store = await SopsStore.open({ cwd, file: FILE, timeoutSeconds: 30, signal });
  for (const value of ['a-value-that-nobody-guesses', 'another-that-nobody-guesses']) {
    store.write('qdrant-api-key', 1, value, true);
    calls.length = 0;
    await store.save();
    const [file, folder] = [join(cwd, FILE), dirname(join(cwd, FILE))].map((path) => statSync(path).ino);
    expect(calls).toEqual([`fsync ${file}`, `rename ${file}`, `fsync ${folder}`]);
  }
});
