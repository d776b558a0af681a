import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from '../support/folder.js';
import { Up } from './support/up.js';

vi.setConfig({ testTimeout: 120_000 });

const QUESTION = 'Что такое уравнение времени?';

/** A disk of its own, in MiB. Needs the right to mount, which root has outside of most containers. */
function smallDisk(size: number): string {
  const folder = join(temporaryFolder(), 'disk');
  mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m`, 'tmpfs', folder], { stdio: 'pipe' });
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}

function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

/** Writes until nothing more fits; gives the file. */
function fill(disk: string): string {
  const file = join(disk, 'filler');
  for (const size of [1024 * 1024, 4096, 1]) {
    const bytes = Buffer.alloc(size);
    try {
      for (;;) appendFileSync(file, bytes);
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
  }
  return file;
}

// Without the right to mount there is no full disk to be had; .ci/run has it, and fails on a test that did not run.
test.runIf(canMount() || process.env.CI)(
  'a disk that fills up while it runs costs no answer that was acknowledged',
  async () => {
    const disk = smallDisk(160);
    const folder = join(disk, 'data');
    const up = await Up.ready(folder);
    const acknowledged = new Map<string, string>();
    /** Whether the exchange was acknowledged: a clean end of an answer that was given an id. */
    const ask = async (): Promise<boolean> => {
      const response = await up.ask(QUESTION);
      const id = response.headers.get('x-exchange-id');
      // An answer that was promised to be saved and cannot be is cut off.
      const text = await response.text().catch(() => undefined);
      if (id === null) expect(response.headers.get('x-rag-degraded')).toBe('history');
      else if (text !== undefined) acknowledged.set(id, text);
      return id !== null && text !== undefined;
    };
    expect(await ask()).toBe(true);

    const filler = fill(disk);
    let saved = 0;
    // PostgreSQL has some room left in its own files; then it has none.
    for (let count = 0; count < 200 && (await ask()); count += 1) saved += 1;
    expect(saved).toBeLessThan(200);
    expect(up.stderr).toMatch(/^notice +.*No space left on device/m);
    expect(up.stderr).not.toMatch(/^ +at /m);

    rmSync(filler);
    expect(await ask()).toBe(true);
    expect(await up.end('SIGINT')).toBe(130);

    const again = await Up.ready(folder);
    for (const [id, answer] of acknowledged) {
      expect(await again.exchange(id)).toMatchObject({ status: 'complete', answer });
    }
    await again.end('SIGKILL');

    fill(disk);
    const refused = new Up(folder);
    expect(await refused.ended()).toBe(1);
    expect(refused.stderr).toMatch(/^DISK_FULL {2}\S+\n +the disk has 0 MiB left; 32 MiB are needed\n/);
  },
);
