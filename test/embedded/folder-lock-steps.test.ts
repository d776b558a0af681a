import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { FolderHeld, lockFolder } from '../../src/embedded/folder-lock.js';
import { temporaryFolder } from '../support/folder.js';

/** Runs before each step that touches the file system. */
const steps = vi.hoisted((): { before: () => void } => ({ before: () => undefined }));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const stepped = Object.fromEntries(
    (['linkSync', 'readFileSync', 'renameSync', 'rmSync', 'writeFileSync'] as const).map((name) => [
      name,
      (...args: unknown[]) => {
        steps.before();
        return (real[name] as (...args: unknown[]) => unknown)(...args);
      },
    ]),
  );
  return { ...real, ...stepped };
});

/** More steps than taking over a dead lock has. */
const MOST_STEPS = 20;

function prepare(content: string): string {
  const folder = temporaryFolder();
  fs.writeFileSync(join(folder, 'lock'), content);
  return folder;
}

/** One taker of a folder, which may be slow: at its numbered steps, others come and go all the way. */
function takers(folder: string, interruptions: readonly number[]): number {
  let taken = 0;
  let step = 0;
  const take = () => {
    try {
      lockFolder(folder);
      taken += 1;
    } catch (error) {
      if (!(error instanceof FolderHeld)) throw error;
    }
  };
  const interrupt = () => {
    const coming = interruptions.filter((one) => one === step).length;
    step += 1;
    steps.before = () => undefined;
    for (let other = 0; other < coming; other += 1) take();
    steps.before = interrupt;
  };
  steps.before = interrupt;
  take();
  steps.before = () => undefined;
  return taken;
}

test.each([
  ['nobody any more', { pid: 1, host: hostname(), began: '1', id: randomUUID(), since: '' }],
  ['nobody knows whom', 'damaged'],
])('wherever a slow taker is overtaken, once or twice, one takes the lock of %s', (_, content) => {
  for (let first = 0; first < MOST_STEPS; first += 1) {
    for (let second = first; second < MOST_STEPS; second += 1) {
      const folder = prepare(JSON.stringify(content));
      expect(takers(folder, [first, second]), `overtaken at steps ${first} and ${second}`).toBe(1);
      expect(fs.readdirSync(folder)).toEqual(['lock']);
    }
  }
});
