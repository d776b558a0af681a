import { closeSync, existsSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RagdockError } from '../../src/errors/problem.js';
import { ReportFiles } from '../../src/smoke/files.js';
import type { SmokeReport } from '../../src/smoke/report.js';
import { ragdock } from '../cli/terminal.js';
import { temporaryFolder } from '../support/folder.js';

const REPORT: SmokeReport = {
  schema: 1,
  environment: 'dev',
  level: 'up',
  startedAt: '2026-11-22T10:00:00.000Z',
  seconds: 1,
  ok: true,
  counts: { passed: 0, failed: 0, skipped: 0 },
  checks: [],
};

function problems(work: () => void): readonly string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (!(error instanceof RagdockError)) throw error;
    return error.problems.map(({ code, file }) => `${code} ${file}`);
  }
}

describe('before a run', () => {
  test('the reports of an earlier one are removed, or emptied behind a link, and folders stay', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'smoke.json'), '{}');
    writeFileSync(join(folder, 'target'), 'of an earlier run');
    symlinkSync('target', join(folder, 'link'));
    mkdirSync(join(folder, 'folder'));
    new ReportFiles(folder, { json: 'smoke.json', junit: 'link', markdown: 'folder' }).clear();

    expect(existsSync(join(folder, 'smoke.json'))).toBe(false);
    expect(readFileSync(join(folder, 'link'), 'utf8')).toBe('');
    expect(existsSync(join(folder, 'folder'))).toBe(true);
  });

  test('what a descriptor leads to is left as it is', () => {
    const folder = temporaryFolder();
    const file = join(folder, 'output');
    const descriptor = openSync(file, 'w');
    onTestFinished(() => closeSync(descriptor));
    writeFileSync(descriptor, 'printed just now');
    const behind = `/proc/self/fd/${descriptor}`;
    symlinkSync(behind, join(folder, 'link'));
    new ReportFiles(folder, { json: behind, junit: 'link' }).clear();

    expect(readFileSync(file, 'utf8')).toBe('printed just now');
  });

  test('folders are made', () => {
    const folder = temporaryFolder();
    const files = new ReportFiles(folder, { json: 'reports/today/smoke.json' });
    files.clear();
    files.prepare();
    files.write(REPORT);

    expect(JSON.parse(readFileSync(join(folder, 'reports/today/smoke.json'), 'utf8'))).toEqual(REPORT);
  });

  test('what cannot be written is refused, all of it at once', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    mkdirSync(join(folder, 'folder'));
    const files = new ReportFiles(folder, { json: 'file/smoke.json', junit: 'folder', markdown: 'smoke.md' });

    expect(problems(() => files.prepare())).toEqual([
      `FILE_UNWRITABLE ${join(folder, 'file/smoke.json')}`,
      `FILE_UNWRITABLE ${join(folder, 'folder')}`,
    ]);
  });

  test('they are removed also where the environment cannot be read', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'smoke.json'), '{"ok":true}');
    const { exit } = await ragdock(['smoke', 'nowhere', '--json', 'smoke.json'], { cwd });

    expect(exit).toBe(2);
    expect(existsSync(join(cwd, 'smoke.json'))).toBe(false);
  });
});
