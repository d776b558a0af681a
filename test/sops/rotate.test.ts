import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { storeOf } from '../secrets/project.js';
import { FILE, Vault } from './support/vault.js';

const NAME = 'qdrant-api-key';

afterEach(() => void vi.unstubAllEnvs());

/** Files of the project that hold a text, wherever they are. */
function filesWith({ cwd }: Vault, text: string): readonly string[] {
  return readdirSync(cwd, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(cwd, name);
    return statSync(path).isFile() && readFileSync(path, 'utf8').includes(text);
  });
}

/** A vault in which every secret has its value, between comments and entries of somebody else. */
async function initialised(): Promise<Vault> {
  const vault = new Vault();
  vault.text = '# who may read this\nnote: of somebody else\n# in the middle\nz: last\n';
  vault.sops('encrypt', '--in-place', FILE);
  expect(await vault.secrets(['init', 'dev'])).toMatchObject({ exit: 0, stderr: '' });
  return vault;
}

describe('a rotation of a secret in a file that sops encrypts', () => {
  test('adds the next version, and leaves order, comments and every other byte of the values', async () => {
    const vault = await initialised();
    const { sops: _before, ...before } = vault.entries;
    const clear = vault.sops('decrypt', FILE);

    const outcome = await vault.secrets(['rotate', 'dev', NAME]);

    expect(outcome).toMatchObject({ exit: 0, stderr: '' });
    expect(outcome.stdout).toMatch(/^made {5}qdrant-api-key, version 2$/m);
    expect(outcome.stdout).toContain('`ragdock secrets fetch dev` brings it to a machine that deploys');
    // Both versions: the old one is in force until the deploy is through.
    const { [`${NAME}.v1`]: old = '', [`${NAME}.v2`]: next = '' } = vault.values();
    expect(old).toMatch(/^[\w-]{43}$/);
    expect(next).toMatch(/^[\w-]{43}$/);
    expect(next).not.toBe(old);
    const { sops: _after, ...after } = vault.entries;
    const { [`${NAME}.v2`]: added, ...others } = after;
    expect(added).toMatch(/^ENC\[/);
    expect(Object.entries(others)).toEqual(Object.entries(before));
    expect(vault.sops('decrypt', FILE)).toBe(`${clear}${NAME}.v2: ${next}\n`);
    expect(clear).toMatch(/^# who may read this\n(.*\n)+# in the middle\n/);
    // No value is on the disk, nor a file beside the encrypted one.
    for (const value of [old, next]) expect(filesWith(vault, value)).toEqual([]);
    expect(readdirSync(join(vault.cwd, 'config/secrets'))).toEqual(['dev.sops.yaml']);
    expect(existsSync(join(vault.cwd, '.ragdock'))).toBe(false);
  });

  test('is what another machine fetches, which keeps neither more nor less', async () => {
    const vault = await initialised();
    await vault.secrets(['rotate', 'dev', NAME]);
    const next = vault.values()[`${NAME}.v2`];

    expect(vault.lock).toMatch(/qdrant-api-key:\n +version: 2\n/);
    expect(await vault.secrets(['fetch', 'dev'])).toMatchObject({ exit: 0, stderr: '' });
    expect(storeOf(vault.cwd).read(NAME, 2)).toBe(next);
    expect(await vault.secrets(['check', 'dev'])).toMatchObject({ exit: 0, stderr: '' });
    // The twin: a file whose next value is another one is refused.
    vault.put(`${NAME}.v2`, 'another-one-that-nobody-promised');
    expect((await vault.secrets(['fetch', 'dev'])).stderr).toMatch(/^SECRET_MISMATCH /m);
    expect(storeOf(vault.cwd).read(NAME, 2)).toBe(next);
  });

  test('a second time takes the version before the last out of the file', async () => {
    const vault = await initialised();
    await vault.secrets(['rotate', 'dev', NAME]);
    const second = vault.values()[`${NAME}.v2`];

    const outcome = await vault.secrets(['rotate', 'dev', NAME]);

    expect(outcome).toMatchObject({ exit: 0, stderr: '' });
    const { [`${NAME}.v1`]: first, [`${NAME}.v2`]: kept, [`${NAME}.v3`]: third } = vault.values();
    expect([first, kept]).toEqual([undefined, second]);
    expect(third).toMatch(/^[\w-]{43}$/);
    expect(vault.lock).toMatch(/qdrant-api-key:\n +version: 3\n/);
  });

  test('that was cut off before the lock file is completed with the value that is there', async () => {
    const vault = await initialised();
    const { lock } = vault;
    vault.put(`${NAME}.v2`, 'the-value-of-the-run-that-was-cut-off');

    const { stdout } = await vault.secrets(['rotate', 'dev', NAME, '--to', '2']);

    expect(stdout).toMatch(/^adopted {2}qdrant-api-key, version 2 \(its value was there\)$/m);
    expect(vault.values()[`${NAME}.v2`]).toBe('the-value-of-the-run-that-was-cut-off');
    expect(vault.lock).not.toBe(lock);
    const { text } = vault;
    expect((await vault.secrets(['rotate', 'dev', NAME, '--to', '2'])).stdout).toBe(`${NAME} has version 2 already\n`);
    expect(vault.text).toBe(text);
  });

  test('without a key, or with the value of now, changes nothing', async () => {
    const vault = await initialised();
    const { text, lock } = vault;
    vault.use(undefined);
    const without = await vault.secrets(['rotate', 'dev', NAME]);
    expect([without.exit, without.stderr]).toEqual([3, expect.stringMatching(/^SOPS_KEY_MISSING /)]);
    expect([vault.text, vault.lock]).toEqual([text, lock]);

    vault.use(vault.key);
    vault.put(`${NAME}.v2`, vault.values()[`${NAME}.v1`]);
    const same = await vault.secrets(['rotate', 'dev', NAME]);
    expect([same.exit, same.stderr]).toEqual([2, expect.stringMatching(/^SECRET_NOT_NEW {2}qdrant-api-key\n/)]);
    expect(vault.lock).toBe(lock);
  });

  test('never has a value on a command line or in a variable of sops', async () => {
    const vault = await initialised();
    const seen = vault.watch();
    await vault.secrets(['rotate', 'dev', NAME]);
    await vault.secrets(['rotate', 'dev', NAME]);

    const calls = seen();
    expect(calls.filter((call) => /^(set|unset|decrypt)\n/.test(call)).length).toBeGreaterThan(3);
    const values = Object.entries(vault.values()).filter(([key]) => key.includes('.v'));
    expect(values.length).toBeGreaterThan(vault.names.length);
    for (const [key, value] of values) expect(calls.filter((call) => call.includes(value)).length, key).toBe(0);
  });
});
