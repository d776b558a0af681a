import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { put } from '../config/project.js';
import { storeOf } from '../secrets/project.js';
import { FILE, Vault } from './support/vault.js';

const VALUE = 'a-value-that-nobody-guesses';

afterEach(() => void vi.unstubAllEnvs());

/** A vault in which every secret has its value. */
async function initialised(): Promise<Vault> {
  const vault = new Vault();
  expect(await vault.secrets(['init', 'dev'])).toMatchObject({ exit: 0, stderr: '' });
  return vault;
}

describe('with values in a file that sops encrypts', () => {
  test('init makes them into it, a second machine fetches the same, and forget leaves none behind', async () => {
    const vault = new Vault();
    const before = await vault.secrets(['list', 'dev']);
    expect(before.stdout).toMatch(/^qdrant-api-key +v1 {2}no value {2}not in the lock /m);

    const init = await vault.secrets(['init', 'dev']);

    expect(init).toMatchObject({ exit: 0, stderr: '' });
    expect(init.stdout).toMatch(/^made {5}qdrant-api-key$/m);
    expect(init.stdout).toContain(`${FILE} has the values, encrypted; commit it\n`);
    const values = vault.values();
    expect(Object.keys(values)).toEqual(vault.names.map((name) => `${name}.v1`));
    for (const value of Object.values(values)) {
      expect(value).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(vault.text).not.toContain(value);
    }
    expect(vault.lock.match(/fingerprint/g)).toHaveLength(vault.names.length);
    expect(existsSync(join(vault.cwd, '.ragdock'))).toBe(false);

    // Nothing but the repository and the key is needed elsewhere.
    const { text, lock } = vault;
    expect(await vault.secrets(['fetch', 'dev'])).toMatchObject({ exit: 0, stderr: '' });
    expect(vault.names.map((name) => storeOf(vault.cwd).read(name, 1))).toEqual(Object.values(values));
    expect(await vault.secrets(['check', 'dev'])).toMatchObject({ exit: 0, stderr: '' });
    expect((await vault.secrets(['init', 'dev'])).stdout).toBe('every secret of dev has its value\n');
    expect((await vault.secrets(['list', 'dev'])).stdout).toMatch(/^qdrant-api-key +v1 {2}stored {2}in the lock /m);
    expect([vault.text, vault.lock]).toEqual([text, lock]);
    expect((await vault.secrets(['forget', 'dev'])).exit).toBe(0);
    expect(storeOf(vault.cwd).list()).toEqual([]);
  });

  test('set writes one value, and every other byte of the values, order and comments stay', async () => {
    const vault = new Vault();
    const clear =
      '# who may read this\nnote: of somebody else\nrag-api-key.v1: the-key-that-is-there-already\n# in the middle\nz: last\n';
    vault.text = clear;
    vault.sops('encrypt', '--in-place', FILE);
    const before = vault.entries;

    const outcome = await vault.secrets(['set', 'dev', 'qdrant-api-key'], VALUE);

    expect(outcome).toMatchObject({ exit: 0, stdout: 'stored qdrant-api-key\n', stderr: '' });
    const { sops: _sops, ...values } = vault.entries;
    expect(Object.keys(values)).toEqual(['note', 'rag-api-key.v1', 'z', 'qdrant-api-key.v1']);
    for (const key of ['note', 'rag-api-key.v1', 'z']) expect(values[key]).toBe(before[key]);
    expect(vault.sops('decrypt', FILE)).toBe(`${clear}qdrant-api-key.v1: ${VALUE}\n`);
    expect(vault.lock.match(/fingerprint/g)).toHaveLength(1);
    expect(readdirSync(join(vault.cwd, 'config/secrets'))).toEqual(['dev.sops.yaml']);
  });

  test('set asks for no value before it is known that it can be kept', async () => {
    const vault = await initialised();
    vault.use(undefined);

    const { exit, stderr } = await vault.secrets(['set', 'dev', 'qdrant-api-key'], VALUE);

    expect([exit, stderr]).toEqual([
      3,
      expect.stringMatching(/^SOPS_KEY_MISSING {2}config\/secrets\/dev\.sops\.yaml\n/),
    ]);
  });

  test('init adopts what is there, and makes the rest', async () => {
    const vault = new Vault();
    await vault.secrets(['set', 'dev', 'qdrant-api-key'], VALUE);

    const { stdout } = await vault.secrets(['init', 'dev']);

    expect(stdout).not.toContain('qdrant-api-key');
    expect(vault.values()['qdrant-api-key.v1']).toBe(VALUE);
    expect(Object.keys(vault.values())).toHaveLength(vault.names.length);
  });

  test('no value is on a command line, in a variable, or in a clear file while sops runs', async () => {
    const vault = new Vault();
    const seen = vault.watch();

    await vault.secrets(['set', 'dev', 'qdrant-api-key'], VALUE);
    await vault.secrets(['init', 'dev']);
    await vault.secrets(['fetch', 'dev']);

    const calls = seen();
    expect(calls.filter((call) => /^(set|encrypt|decrypt)\n/.test(call)).length).toBeGreaterThan(5);
    for (const value of Object.values(vault.values())) expect(calls.filter((call) => call.includes(value))).toEqual([]);
  });
});

describe('is refused', () => {
  test('a file that nobody has encrypted, loudly, by every command, and nothing is changed', async () => {
    const vault = await initialised();
    const clear = Object.entries(vault.values()).map(([key, value]) => `${key}: ${value}\n`);
    const { lock } = vault;
    vault.text = clear.join('');

    for (const args of [['list'], ['check'], ['fetch'], ['init'], ['set']]) {
      const name = args[0] === 'set' ? ['qdrant-api-key'] : [];
      const { exit, stdout, stderr } = await vault.secrets([...args, 'dev', ...name], VALUE);
      expect([exit, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^SOPS_FILE_CLEAR {2}config\/secrets\/dev\.sops\.yaml\n.*can be read by everybody/);
      for (const line of clear) expect(stderr).not.toContain(line.split(': ')[1]?.trim());
    }
    expect([vault.text, vault.lock]).toEqual([clear.join(''), lock]);
    expect(storeOf(vault.cwd).list()).toEqual([]);
  });

  test('one clear value in an encrypted file', async () => {
    const vault = await initialised();
    vault.text = vault.text.replace(/^qdrant-api-key\.v1: .*$/m, `qdrant-api-key.v1: ${VALUE}`);

    const { exit, stderr } = await vault.secrets(['fetch', 'dev']);

    expect(exit).toBe(2);
    expect(stderr).toMatch(/^SOPS_FILE_CLEAR {2}config\/secrets\/dev\.sops\.yaml {2}qdrant-api-key\.v1\n/);
    expect(stderr).not.toContain(VALUE);
  });

  test('a rule that would leave values clear, before a byte of them is on the disk', async () => {
    const vault = new Vault();
    vault.rules(`- age: ${vault.key.recipient}\n  encrypted_regex: ^nothing$\n`);

    const { exit, stderr } = await vault.secrets(['init', 'dev']);

    expect(exit).toBe(2);
    expect(stderr.match(/^SOPS_FILE_CLEAR /gm)).toHaveLength(vault.names.length);
    expect(readdirSync(join(vault.cwd, 'config/secrets'))).toEqual([]);
    expect(vault.lock).not.toContain('fingerprint');
  });

  test.each([
    ['no .sops.yaml', null],
    [
      'no rule for the path',
      '- path_regex: ^elsewhere/\n  age: age1ugemkpnszuljs6aj6889fjtajzpnk6ul5fnzelfyglyfuh5v0anqvcjths\n',
    ],
    ['a rule without a key', '- path_regex: .*\n'],
  ])('%s', async (_name, rules) => {
    const vault = new Vault(rules);

    const { exit, stderr } = await vault.secrets(['init', 'dev']);

    expect([exit, stderr]).toEqual([
      2,
      expect.stringMatching(/^SOPS_RECIPIENTS {2}config\/secrets\/dev\.sops\.yaml\n/),
    ]);
    expect(stderr).toContain('creation_rules: [{age: age1');
    expect(vault.lock).not.toContain('fingerprint');
  });

  test('a machine without a key, with another one, or with a path to nothing', async () => {
    const vault = await initialised();
    const { text } = vault;
    for (const [key, says] of [
      [undefined, 'sops finds no key on this machine'],
      [vault.newKey('other'), 'the key of this machine is another one'],
      [{ file: '/nowhere/keys.txt', recipient: '' }, 'there is no file /nowhere/keys.txt with a key'],
    ] as const) {
      vault.use(key);
      for (const command of ['fetch', 'check', 'init']) {
        const { exit, stderr } = await vault.secrets([command, 'dev']);
        expect([exit, stderr]).toEqual([
          3,
          expect.stringMatching(/^SOPS_KEY_MISSING {2}config\/secrets\/dev\.sops\.yaml\n/),
        ]);
        expect(stderr).toContain(`it is encrypted for ${vault.key.recipient}; ${says}`);
        expect(stderr).toContain('SOPS_AGE_KEY_FILE');
        expect(stderr).toContain(`sops updatekeys ${FILE}`);
      }
    }
    // Names are no secret, and need no key.
    expect((await vault.secrets(['list', 'dev'])).exit).toBe(0);
    expect(vault.text).toBe(text);
  });

  test('a file that was changed without sops', async () => {
    const vault = await initialised();
    const [first = '', second = ''] = vault.names;
    const { text, entries } = vault;
    // A value of one name under another, and a value that is gone.
    for (const changed of [
      text.replace(String(entries[`${first}.v1`]), () => String(entries[`${second}.v1`])),
      text.replace(/^rag-api-key\.v1: .*\n/m, ''),
      text.replace(/^ {4}mac: .*\n/m, ''),
    ]) {
      vault.text = changed;
      const { exit, stderr } = await vault.secrets(['fetch', 'dev']);
      expect([exit, stderr]).toEqual([
        2,
        expect.stringMatching(/^SOPS_FILE_DAMAGED {2}config\/secrets\/dev\.sops\.yaml\n/),
      ]);
    }
    vault.text = '[1, 2]\n';
    expect((await vault.secrets(['list', 'dev'])).stderr).toMatch(/^SOPS_FILE_DAMAGED /);
    expect(storeOf(vault.cwd).list()).toEqual([]);
  });

  test('a value that is a number', async () => {
    const vault = await initialised();
    vault.put('qdrant-api-key.v1', 12345678901234);

    const { stderr } = await vault.secrets(['check', 'dev']);

    expect(stderr).toMatch(/^SOPS_FILE_DAMAGED {2}config\/secrets\/dev\.sops\.yaml {2}qdrant-api-key\.v1\n/);
    expect(stderr).not.toContain('12345678901234');
  });

  test.each([
    [
      'another value than the promised one',
      'the-file-has-another-now',
      /^SECRET_MISMATCH {2}config\/secrets\/dev\.sops\.yaml {2}qdrant-api-key$/m,
    ],
    [
      'a value that can be guessed',
      'changeme-2024',
      /^SECRET_UNSAFE {2}config\/secrets\/dev\.sops\.yaml {2}qdrant-api-key$/m,
    ],
    ['an empty value', '', /the value is empty/],
    ['the value of another secret', undefined, /the same value as/],
  ])('%s, before a file is written', async (_name, value, message) => {
    const vault = await initialised();
    vault.put('qdrant-api-key.v1', value ?? vault.values()['rag-api-key.v1']);

    for (const command of ['fetch', 'check']) {
      const { exit, stderr } = await vault.secrets([command, 'dev']);
      expect(exit).toBe(2);
      expect(stderr).toMatch(message);
    }
    expect(storeOf(vault.cwd).list()).toEqual([]);
  });

  test('a value that is gone, and one that nobody has promised', async () => {
    const vault = await initialised();
    vault.sops('unset', FILE, '["qdrant-api-key.v1"]');
    for (const command of ['fetch', 'check', 'init']) {
      expect((await vault.secrets([command, 'dev'])).stderr).toMatch(
        /^SECRET_KNOWN_TO_LOCK {2}config\/secrets\/dev\.sops\.yaml {2}qdrant-api-key\n/,
      );
    }

    put(vault.cwd, 'config/environments/dev.lock.yaml', vault.lock.replace(/^ +fingerprint: .*\n/gm, ''));
    const { stderr } = await vault.secrets(['fetch', 'dev']);
    expect(stderr.match(/^SECRET_UNPROMISED /gm)).toHaveLength(vault.names.length - 1);
    expect(stderr).toMatch(/^SECRET_MISSING {2}config\/secrets\/dev\.sops\.yaml {2}qdrant-api-key$/m);
    expect(storeOf(vault.cwd).list()).toEqual([]);
  });

  test('readers whom the rules do not name, and the other way round, by check alone', async () => {
    const vault = await initialised();
    const other = vault.newKey('other');
    vault.rules(`- age: ${other.recipient}\n`);

    const { exit, stderr } = await vault.secrets(['check', 'dev']);

    expect(exit).toBe(2);
    expect(stderr).toContain(`it is encrypted for ${vault.key.recipient} as well`);
    expect(stderr).toContain(`it is not encrypted for ${other.recipient}`);
    expect((await vault.secrets(['fetch', 'dev'])).exit).toBe(0);
    vault.rules(`- age: ${vault.key.recipient},${other.recipient}\n`);
    vault.sops('updatekeys', '--yes', FILE);
    expect((await vault.secrets(['check', 'dev'])).exit).toBe(0);
    vault.use(other);
    expect((await vault.secrets(['check', 'dev'])).exit).toBe(0);
  });

  test('a stale copy on this machine, which a fetch replaces', async () => {
    const vault = await initialised();
    storeOf(vault.cwd).write('qdrant-api-key', 1, 'what-an-older-file-had');

    expect((await vault.secrets(['check', 'dev'])).stderr).toMatch(
      /^SECRET_MISMATCH {2}\.ragdock\/secrets\/dev\/qdrant-api-key\.v1 /m,
    );
    await vault.secrets(['fetch', 'dev']);
    expect(await vault.secrets(['check', 'dev'])).toMatchObject({ exit: 0, stderr: '' });
  });

  test('a machine without sops', async () => {
    const vault = await initialised();
    vi.stubEnv('PATH', join(vault.cwd, 'home'));
    for (const command of ['fetch', 'check', 'init']) {
      const { exit, stderr } = await vault.secrets([command, 'dev']);
      expect([exit, stderr]).toEqual([3, expect.stringMatching(/^SOPS_MISSING {2}config\/secrets\/dev\.sops\.yaml\n/)]);
    }
  });
});
