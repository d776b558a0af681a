import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { put } from '../config/project.js';
import { LOCK_FILE, lockedProject, secretsNow, storeOf } from '../secrets/project.js';
import { ragdock } from './terminal.js';

const COMMAND_STORE = "secrets: {store: command, command: [cat, 'vault/{env}/{name}.v{version}']}\n";

const lockText = (cwd: string): string => readFileSync(join(cwd, LOCK_FILE), 'utf8');
const names = (cwd: string): string[] => secretsNow(cwd).map(({ name }) => name);
const inVault = (name: string): string => `the-vault-keeps-this-for-${name}`;

/** A project whose values are in a vault. `skip` are not. */
function vaultProject({ skip = [], more = '' }: { skip?: readonly string[]; more?: string } = {}): string {
  const cwd = lockedProject();
  const file = join(cwd, 'config/environments/dev.yaml');
  writeFileSync(file, `${readFileSync(file, 'utf8')}${more || COMMAND_STORE}`);
  for (const name of names(cwd)) if (!skip.includes(name)) put(cwd, `vault/dev/${name}.v1`, `${inVault(name)}\n`);
  return cwd;
}

/** A command whose output holds no value of the vault. */
async function silently(args: readonly string[], cwd: string, stdin?: string) {
  const outcome = await ragdock(['secrets', ...args], stdin === undefined ? { cwd } : { cwd, stdin });
  expect(outcome.stdout + outcome.stderr).not.toContain('the-vault-keeps');
  return outcome;
}

describe('with values that a command gives', () => {
  test('init makes none, fetches all, and writes the fingerprints; a second machine fetches the same', async () => {
    const cwd = vaultProject();

    const init = await silently(['init', 'dev'], cwd);

    expect(init).toMatchObject({ exit: 0, stderr: '' });
    expect(init.stdout).toMatch(/^fetched {2}qdrant-api-key$/m);
    expect(init.stdout).toMatch(/dev\.lock\.yaml has the fingerprints; commit it\n$/);
    expect(lockText(cwd).match(/fingerprint/g)).toHaveLength(names(cwd).length);
    expect(secretsNow(cwd).map(({ value }) => value)).toEqual(names(cwd).map(inVault));

    // On a machine with the lock file and without the values.
    const text = lockText(cwd);
    expect((await silently(['forget', 'dev'], cwd)).stdout).toBe(
      `removed ${names(cwd).length} values of dev from this machine\n`,
    );
    expect(storeOf(cwd).list()).toEqual([]);
    const fetched = await silently(['fetch', 'dev'], cwd);
    expect(fetched).toMatchObject({ exit: 0, stderr: '' });
    expect(fetched.stdout).toMatch(/^fetched {2}qdrant-api-key$/m);
    const folder = join(cwd, '.ragdock/secrets/dev');
    expect(readdirSync(folder).map((file) => (statSync(join(folder, file)).mode & 0o777).toString(8))).toEqual(
      names(cwd).map(() => '600'),
    );
    expect(lockText(cwd)).toBe(text);
    expect((await silently(['init', 'dev'], cwd)).stdout).toMatch(/^every secret of dev has its value$/m);
    expect(lockText(cwd)).toBe(text);
  });

  test('init says which values the vault lacks, and leaves everything as it is', async () => {
    const cwd = vaultProject({ skip: ['qdrant-api-key', 'rag-api-key'] });
    const before = lockText(cwd);

    const { exit, stderr } = await silently(['init', 'dev'], cwd);

    expect(exit).toBe(3);
    expect(stderr.match(/^SECRET_COMMAND_FAILED .*/gm)).toEqual([
      'SECRET_COMMAND_FAILED  qdrant-api-key',
      'SECRET_COMMAND_FAILED  rag-api-key',
    ]);
    expect(stderr).toContain('openssl rand -hex 32');
    expect(lockText(cwd)).toBe(before);
    expect(existsSync(join(cwd, '.ragdock'))).toBe(false);
  });

  test.each([
    ['another value than the promised one', 'the-vault-keeps-another-now', /^SECRET_MISMATCH {2}qdrant-api-key$/m],
    ['a value that can be guessed', 'short', /^SECRET_UNSAFE {2}qdrant-api-key$/m],
    ['the value of another secret', inVault('rag-api-key'), /the same value as/],
  ])('%s is refused before a file is written', async (_name, value, message) => {
    const cwd = vaultProject();
    await silently(['init', 'dev'], cwd);
    await silently(['forget', 'dev'], cwd);
    put(cwd, 'vault/dev/qdrant-api-key.v1', value);

    for (const command of ['fetch', 'check', 'init']) {
      const { exit, stderr } = await silently([command, 'dev'], cwd);
      expect(exit).toBe(2);
      expect(stderr).toMatch(message);
      expect(stderr).toMatch(/^SECRET_MISMATCH {2}qdrant-api-key$/m);
    }
    expect(storeOf(cwd).list()).toEqual([]);
  });

  test('what nobody has promised is not fetched', async () => {
    const cwd = vaultProject();

    const { exit, stderr } = await silently(['fetch', 'dev'], cwd);

    expect(exit).toBe(2);
    expect(stderr.match(/^SECRET_UNPROMISED /gm)).toHaveLength(names(cwd).length);
    expect(storeOf(cwd).list()).toEqual([]);
  });

  test('a stale copy is replaced by a fetch, and told by a check', async () => {
    const cwd = vaultProject();
    await silently(['init', 'dev'], cwd);
    writeFileSync(storeOf(cwd).path('qdrant-api-key', 1), 'what-an-older-vault-had');

    const check = await silently(['check', 'dev'], cwd);
    expect(check.stderr).toMatch(/^SECRET_MISMATCH {2}\.ragdock\/secrets\/dev\/qdrant-api-key\.v1 /m);
    await silently(['fetch', 'dev'], cwd);

    expect(storeOf(cwd).read('qdrant-api-key', 1)).toBe(inVault('qdrant-api-key'));
    expect(await silently(['check', 'dev'], cwd)).toMatchObject({ exit: 0, stderr: '' });
  });

  test('list asks nobody, and tells what is here', async () => {
    const cwd = vaultProject({ skip: ['qdrant-api-key'] });

    const before = await silently(['list', 'dev'], cwd);

    expect(before).toMatchObject({ exit: 0, stderr: '' });
    expect(before.stdout).toMatch(/^qdrant-api-key +v1 {2}not fetched {2}not in the lock {2}\S/m);
  });

  test('set refuses, for the command only reads', async () => {
    const cwd = vaultProject();

    const { exit, stderr } = await silently(['set', 'dev', 'qdrant-api-key'], cwd, 'a-value-of-some-length');

    expect([exit, stderr]).toEqual([2, expect.stringMatching(/^SECRET_STORE_UNFIT {2}qdrant-api-key/)]);
    expect(storeOf(cwd).list()).toEqual([]);
  });

  test('forget keeps what somebody put there for code of their own', async () => {
    const cwd = vaultProject();
    await silently(['init', 'dev'], cwd);
    storeOf(cwd).write('report-key', 1, 'the-key-of-somebodys-report');
    storeOf(cwd).write('qdrant-api-key', 7, 'the-key-of-some-version-7');

    await silently(['forget', 'dev'], cwd);

    expect(storeOf(cwd).list()).toEqual([{ name: 'report-key', version: 1 }]);
  });

  test('without shared values the lock file stays without fingerprints', async () => {
    const cwd = vaultProject({ more: COMMAND_STORE.replace('{store', '{shared: false, store') });
    const before = lockText(cwd);

    expect(await silently(['fetch', 'dev'], cwd)).toMatchObject({ exit: 0, stderr: '' });
    expect(await silently(['init', 'dev'], cwd)).toMatchObject({ exit: 0, stderr: '' });

    expect(lockText(cwd)).toBe(before);
    expect(storeOf(cwd).read('qdrant-api-key', 1)).toBe(inVault('qdrant-api-key'));
  });
});

describe('with values in files', () => {
  test('fetch has nothing to do, or tells what is missing', async () => {
    const cwd = lockedProject();
    expect((await ragdock(['secrets', 'fetch', 'dev'], { cwd })).stderr).toMatch(/^SECRET_MISSING /);
    await ragdock(['secrets', 'init', 'dev'], { cwd });

    expect(await ragdock(['secrets', 'fetch', 'dev'], { cwd })).toMatchObject({
      exit: 0,
      stdout: 'the values of dev are files of this machine; nothing is to be fetched\n',
    });
  });

  test('forget refuses: they may be the only ones', async () => {
    const cwd = lockedProject();
    await ragdock(['secrets', 'init', 'dev'], { cwd });
    const before = storeOf(cwd).list();

    const { exit, stderr } = await ragdock(['secrets', 'forget', 'dev'], { cwd });

    expect([exit, stderr]).toEqual([2, expect.stringMatching(/^SECRET_STORE_UNFIT/)]);
    expect(storeOf(cwd).list()).toEqual(before);
  });
});
