import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { MINIMAL, project, put } from '../config/project.js';
import { LOCK_FILE, lockedProject, secretsNow, storeOf } from '../secrets/project.js';
import { keyboard, ragdock } from './terminal.js';

const lockText = (cwd: string): string => readFileSync(join(cwd, LOCK_FILE), 'utf8');
const VALUE = 'a-value-that-nobody-guesses';

/** Everything that a command wrote, held against every value that the store has. */
async function silently(args: readonly string[], cwd: string, stdin?: string) {
  const outcome = await ragdock(args, stdin === undefined ? { cwd } : { cwd, stdin });
  for (const { value } of secretsNow(cwd)) {
    if (value) expect(outcome.stdout + outcome.stderr).not.toContain(value);
  }
  return outcome;
}

describe('ragdock secrets', () => {
  test('init, list and check, from nothing to all well', async () => {
    const cwd = lockedProject();
    const before = await silently(['secrets', 'list', 'dev'], cwd);
    expect(before.stdout).toMatch(/^qdrant-api-key +v1 {2}no value {2}not in the lock {2}\S.*$/m);
    expect(await silently(['secrets', 'check', 'dev'], cwd)).toMatchObject({ exit: 2, stdout: '' });

    const init = await silently(['secrets', 'init', 'dev'], cwd);
    expect(init.exit).toBe(0);
    expect(init.stdout).toMatch(/^made {5}qdrant-api-key$/m);
    expect(init.stdout).toMatch(/dev\.lock\.yaml has the fingerprints; commit it\n$/);

    expect((await silently(['secrets', 'list', 'dev'], cwd)).stdout).toMatch(
      /^qdrant-api-key +v1 {2}stored {2}in the lock {2}\S/m,
    );
    expect(await silently(['secrets', 'check', 'dev'], cwd)).toMatchObject({ exit: 0, stderr: '' });
    expect((await silently(['secrets', 'init', 'dev'], cwd)).stdout).toBe('every secret of dev has its value\n');
    expect((await ragdock(['validate'], { cwd })).exit).toBe(0);
  });

  test('secrets of one machine leave the lock file as it is', async () => {
    const cwd = lockedProject();
    const path = join(cwd, 'config/environments/dev.yaml');
    writeFileSync(path, `${readFileSync(path, 'utf8')}\nsecrets:\n  shared: false\n`);
    const before = lockText(cwd);

    const init = await silently(['secrets', 'init', 'dev'], cwd);
    const values = secretsNow(cwd).map(({ value }) => value);

    expect(init.stdout).toMatch(/^made {5}qdrant-api-key$/m);
    expect(init.stdout).toMatch(/every secret of dev has its value, for this machine alone\n$/);
    expect(lockText(cwd)).toBe(before);
    expect((await silently(['secrets', 'init', 'dev'], cwd)).stdout).not.toContain('made');
    expect(secretsNow(cwd).map(({ value }) => value)).toEqual(values);
    expect(await silently(['secrets', 'check', 'dev'], cwd)).toMatchObject({ exit: 0, stderr: '' });
  });

  test('init invents nothing that the lock file knows', async () => {
    const cwd = lockedProject();
    await ragdock(['secrets', 'init', 'dev'], { cwd });
    rmSync(join(cwd, '.ragdock'), { recursive: true });
    const { exit, stderr } = await silently(['secrets', 'init', 'dev'], cwd);
    expect(exit).toBe(2);
    expect(stderr.match(/^SECRET_KNOWN_TO_LOCK /gm)).toHaveLength(secretsNow(cwd).length);
    expect(storeOf(cwd).list()).toEqual([]);
  });

  test('init wants a lock file that names all secrets of the stack', async () => {
    const cwd = project({ 'dev.yaml': MINIMAL });
    expect((await ragdock(['secrets', 'init', 'dev'], { cwd })).stderr).toMatch(/^LOCK_MISSING {2}/);
    await ragdock(['lock', 'dev'], { cwd });
    put(cwd, LOCK_FILE, lockText(cwd).replace('  qdrant-api-key:\n    version: 1\n', ''));
    expect((await ragdock(['secrets', 'init', 'dev'], { cwd })).stderr).toMatch(
      /^LOCK_STALE .*secrets\.qdrant-api-key$/m,
    );
    expect(storeOf(cwd).list()).toEqual([]);
  });

  test('check tells every problem', async () => {
    const cwd = lockedProject();
    await ragdock(['secrets', 'init', 'dev'], { cwd });
    writeFileSync(storeOf(cwd).path('qdrant-api-key', 1), 'short\n');
    const { exit, stderr } = await ragdock(['secrets', 'check', 'dev'], { cwd });
    expect(exit).toBe(2);
    expect(stderr.match(/^SECRET_\w+/gm)).toEqual(['SECRET_MISMATCH', 'SECRET_UNSAFE', 'SECRET_UNSAFE']);
    expect(stderr).not.toContain('short');
  });
});

describe('ragdock secrets set', () => {
  const set = ['secrets', 'set', 'dev', 'qdrant-api-key'];

  test('takes stdin without the newline of echo, and remembers the fingerprint', async () => {
    const cwd = lockedProject();
    expect(await silently(set, cwd, `${VALUE}\n`)).toMatchObject({ exit: 0, stdout: 'stored qdrant-api-key\n' });
    expect(storeOf(cwd).read('qdrant-api-key', 1)).toBe(VALUE);
    expect(lockText(cwd).match(/fingerprint/g)).toHaveLength(1);
    // What was set by hand is adopted with the rest.
    expect((await silently(['secrets', 'init', 'dev'], cwd)).stdout).not.toMatch(/qdrant-api-key/);
    expect((await silently(['secrets', 'check', 'dev'], cwd)).exit).toBe(0);
  });

  test('repairs a wrong value with the promised one, and takes no other', async () => {
    const cwd = lockedProject();
    await ragdock(set, { cwd, stdin: VALUE });
    const text = lockText(cwd);
    writeFileSync(storeOf(cwd).path('qdrant-api-key', 1), 'something-else-entirely');
    const other = await silently(set, cwd, 'another-value-of-length');
    expect([other.exit, other.stderr]).toEqual([2, expect.stringMatching(/^SECRET_MISMATCH {2}qdrant-api-key/)]);
    expect((await silently(set, cwd, VALUE)).exit).toBe(0);
    expect([storeOf(cwd).read('qdrant-api-key', 1), lockText(cwd)]).toEqual([VALUE, text]);
  });

  test('takes another than the promised value where it is told to, and promises that', async () => {
    const cwd = lockedProject();
    await ragdock(set, { cwd, stdin: VALUE });
    const [before, other] = [lockText(cwd), 'another-value-of-length'];
    const { exit, stderr } = await silently(set, cwd, other);
    expect([exit, stderr]).toEqual([2, expect.stringMatching(/^SECRET_MISMATCH .*\n.*\n.*--replace/)]);
    expect((await silently([...set, '--replace'], cwd, other)).exit).toBe(0);

    expect(storeOf(cwd).read('qdrant-api-key', 1)).toBe(other);
    const promised = /(?<=fingerprint: ).*/g;
    expect(lockText(cwd).replace(promised, '')).toBe(before.replace(promised, ''));
    expect(lockText(cwd)).not.toBe(before);
    // The new one is the right one from here on.
    expect((await silently(set, cwd, other)).exit).toBe(0);
    expect((await silently(set, cwd, VALUE)).exit).toBe(2);
  });

  test('without a fingerprint it takes no other value than the stored one, unless it is told to', async () => {
    const cwd = lockedProject();
    storeOf(cwd).write('qdrant-api-key', 1, VALUE);
    const other = 'another-value-of-length';
    const { exit, stderr } = await silently(set, cwd, other);
    expect([exit, stderr]).toEqual([
      2,
      expect.stringMatching(/^SECRET_IN_PLACE {2}qdrant-api-key\n.*\n.*secrets rotate/),
    ]);
    expect(storeOf(cwd).read('qdrant-api-key', 1)).toBe(VALUE);
    expect((await silently(set, cwd, VALUE)).exit).toBe(0);
    const fresh = lockedProject();
    storeOf(fresh).write('qdrant-api-key', 1, VALUE);
    expect((await silently([...set, '--replace'], fresh, other)).exit).toBe(0);
    expect(storeOf(fresh).read('qdrant-api-key', 1)).toBe(other);
  });

  test.each([
    ['nothing', '', /empty/],
    ['a short one', 'short', /fewer than 16/],
    ['a multi-line one', `${VALUE}\n${VALUE}\n`, /URLs/],
    ['a flood', 'x'.repeat(70_000), /64 KiB/],
  ])('refuses %s', async (_name, stdin, message) => {
    const cwd = lockedProject();
    const { exit, stderr } = await silently(set, cwd, stdin);
    expect(exit).toBe(2);
    expect(stderr).toMatch(message);
    expect(storeOf(cwd).list()).toEqual([]);
  });

  test('refuses a name that is none, before it asks for a value', async () => {
    const keys = keyboard();
    const { exit, stderr } = await ragdock(['secrets', 'set', 'dev', 'qdrnt-api-key'], {
      cwd: lockedProject(),
      stdin: keys,
    });
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^SECRET_UNKNOWN\n.*'qdrnt-api-key'.*\n.*Did you mean `qdrant-api-key`\?/);
    expect(keys.modes).toEqual([]);
  });

  test('asks on a terminal, without echo, and takes corrections', async () => {
    const cwd = lockedProject();
    const keys = keyboard();
    const done = ragdock(set, { cwd, stdin: keys });
    keys.press(`wrong\u0015${VALUE}x\u007f\r`);
    const { exit, stdout, stderr } = await done;
    expect([exit, stdout, stderr]).toEqual([0, 'stored qdrant-api-key\n', 'Value of qdrant-api-key: \n']);
    expect(storeOf(cwd).read('qdrant-api-key', 1)).toBe(VALUE);
    expect(keys.modes).toEqual([true, false]);
  });

  test('is left by Ctrl-C with 130 and by Ctrl-D with a refusal, and stores nothing', async () => {
    const cwd = lockedProject();
    for (const [key, exit] of [
      ['\u0003', 130],
      ['\u0004', 2],
    ] as const) {
      const keys = keyboard();
      const done = ragdock(set, { cwd, stdin: keys });
      keys.press(key);
      expect((await done).exit).toBe(exit);
      expect(keys.modes.at(-1)).toBe(false);
    }
    expect(storeOf(cwd).list()).toEqual([]);
  });

  test('stops waiting for a pipe when it is interrupted', async () => {
    const interrupt = new AbortController();
    const open = Object.assign(new PassThrough(), { isTTY: false });
    const done = ragdock(set, { cwd: lockedProject(), stdin: open, signal: interrupt.signal });
    open.write('half of a va');
    interrupt.abort();
    expect((await done).exit).toBe(130);
  });
});

test('a value on the command line is refused, and not repeated', async () => {
  const cwd = lockedProject();
  const { exit, stdout, stderr } = await ragdock(['secrets', 'set', 'dev', 'qdrant-api-key', VALUE], { cwd });
  expect([exit, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^USAGE/);
  expect(stderr).not.toContain(VALUE);
  expect(storeOf(cwd).list()).toEqual([]);
});
