import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MINIMAL, project, put } from '../config/project.js';
import { LOCK_FILE } from '../secrets/project.js';
import { ragdock } from './terminal.js';

const lockText = (cwd: string): string => readFileSync(join(cwd, LOCK_FILE), 'utf8');
const setDev = (cwd: string, more: string): void => put(cwd, 'config/environments/dev.yaml', MINIMAL + more);

describe('ragdock lock', () => {
  test('writes the promises, and nothing more the second time', async () => {
    const cwd = project({ 'dev.yaml': MINIMAL });
    expect(await ragdock(['lock', 'dev', '--check'], { cwd })).toMatchObject({ exit: 2, stdout: '' });
    expect(existsSync(join(cwd, LOCK_FILE))).toBe(false);

    const first = await ragdock(['lock', 'dev'], { cwd });
    expect(first).toMatchObject({ exit: 0, stderr: '' });
    expect(first.stdout).toMatch(/^config\/environments\/dev\.lock\.yaml written\n {2}\+ networks\./);
    const text = lockText(cwd);
    expect(text).toMatch(/^ {2}postgres-data: dev-postgres-data$/m);

    expect(await ragdock(['lock', 'dev'], { cwd })).toMatchObject({ exit: 0, stdout: `${LOCK_FILE} is up to date\n` });
    expect(lockText(cwd)).toBe(text);
    expect((await ragdock(['lock', 'dev', '--check'], { cwd })).exit).toBe(0);
  });

  test('adds and frees without renumbering, and check tells what is due', async () => {
    const cwd = project({ 'dev.yaml': MINIMAL });
    await ragdock(['lock', 'dev'], { cwd });
    const before = lockText(cwd);
    setDev(cwd, 'extraServices:\n  a-tool: {image: "a:1", connections: {qdrant: {url: A, credential: B}}}\n');

    const check = await ragdock(['lock', 'dev', '--check'], { cwd });
    expect(check.exit).toBe(2);
    expect(check.stderr).toMatch(/^LOCK_STALE .*networks\.a-tool--qdrant$/m);
    expect(lockText(cwd)).toBe(before);

    expect((await ragdock(['lock', 'dev'], { cwd })).stdout).toMatch(/written\n {2}\+ networks\.a-tool--qdrant \S+\n$/);
    expect(lockText(cwd).replace(/^ {2}a-tool--qdrant: .*\n/m, '')).toBe(before);
    setDev(cwd, '');
    await ragdock(['lock', 'dev'], { cwd });
    expect(lockText(cwd)).toBe(before);
  });

  test('refuses to break a promise until it is accepted by name', async () => {
    const cwd = project({ 'dev.yaml': MINIMAL });
    await ragdock(['lock', 'dev'], { cwd });
    const before = lockText(cwd);
    setDev(cwd, '  postgres: {volume: elsewhere}\n');

    const refused = await ragdock(['lock', 'dev'], { cwd });
    expect(refused.exit).toBe(2);
    expect(refused.stderr).toMatch(
      /^LOCK_PROMISE_BROKEN {2}config\/environments\/dev\.lock\.yaml:\d+:\d+ {2}volumes\.postgres-data$/m,
    );
    expect(refused.stderr).toContain('ragdock lock dev --accept postgres-data');
    expect(lockText(cwd)).toBe(before);

    const accepted = await ragdock(['lock', 'dev', '--accept', 'postgres-data'], { cwd });
    expect(accepted.stdout).toMatch(/~ volumes\.postgres-data dev-postgres-data → elsewhere/);
    expect((await ragdock(['lock', 'dev', '--check'], { cwd })).exit).toBe(0);
    expect(await ragdock(['lock', 'dev', '--accept', 'postgres-data'], { cwd })).toMatchObject({ exit: 2 });
  });

  test('does not write over a damaged lock file', async () => {
    const cwd = project({ 'dev.yaml': MINIMAL });
    put(cwd, LOCK_FILE, 'lock: 1\nnetworks: {}\n');
    expect((await ragdock(['lock', 'dev'], { cwd })).stderr).toMatch(/^LOCK_INVALID /m);
    expect(lockText(cwd)).toBe('lock: 1\nnetworks: {}\n');
  });

  test('tells a pool that has no room', async () => {
    const tools = Array.from(
      { length: 32 },
      (_, i) => `  tool-${i}: {image: "a:1", connections: {webBot: {url: A}}}\n`,
    ).join('');
    const cwd = project({ 'dev.yaml': `${MINIMAL}host: {networkPool: 10.0.0.0/24}\nextraServices:\n${tools}` });
    const { exit, stderr } = await ragdock(['lock', 'dev'], { cwd });
    expect(exit).toBe(2);
    expect(stderr).toMatch(
      /^NETWORK_POOL_EXHAUSTED {2}config\/environments\/dev\.yaml {2}host\.networkPool\n.*room for 32$/m,
    );
  });
});
