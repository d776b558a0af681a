import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { matches } from '../../src/secrets/fingerprint.js';
import { generateSecret, initSecrets } from '../../src/secrets/init.js';
import { writeFingerprints } from '../../src/secrets/lock-fingerprints.js';
import { unsoundness } from '../../src/secrets/soundness.js';
import { LOCK_FILE, lockedProject, secretsNow, storeOf } from './project.js';

/** What `ragdock secrets init` does. */
function init(cwd: string) {
  const done = initSecrets(secretsNow(cwd), storeOf(cwd));
  writeFingerprints(join(cwd, LOCK_FILE), done.fingerprints);
  return done;
}

const lockText = (cwd: string): string => readFileSync(join(cwd, LOCK_FILE), 'utf8');

test('every secret gets a strong value of its own, and the lock file its fingerprint', () => {
  const cwd = lockedProject();
  const names = secretsNow(cwd).map(({ name }) => name);
  expect(names.length).toBeGreaterThan(3);
  expect(init(cwd).made).toEqual(names);
  const secrets = secretsNow(cwd);
  for (const { value = '', fingerprint = '' } of secrets) {
    expect(value).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(matches(value, fingerprint)).toBe(true);
    expect(lockText(cwd)).not.toContain(value);
  }
  expect(new Set(secrets.map(({ value }) => value)).size).toBe(names.length);
});

test('a second run changes no byte', () => {
  const cwd = lockedProject();
  init(cwd);
  const before = [lockText(cwd), ...secretsNow(cwd).map(({ value }) => value)];
  expect(init(cwd)).toEqual({ made: [], adopted: [], missing: [], fingerprints: new Map() });
  expect([lockText(cwd), ...secretsNow(cwd).map(({ value }) => value)]).toEqual(before);
});

test('a secret that somebody else made is missing until it is stored, and then adopted', () => {
  const cwd = lockedProject();
  const [first] = secretsNow(cwd);
  const given = new Set([first?.name ?? '']);
  const done = initSecrets(secretsNow(cwd), storeOf(cwd), given);
  expect(done.missing).toEqual([first?.name]);
  expect(done.made).not.toContain(first?.name);
  expect(secretsNow(cwd)[0]?.value).toBeUndefined();

  storeOf(cwd).write(first?.name ?? '', first?.version ?? 0, 'hf_k7Qzm2PwR4tXn9cdLs');
  const again = initSecrets(secretsNow(cwd), storeOf(cwd), given);
  expect(again).toMatchObject({ adopted: expect.arrayContaining([first?.name]), missing: [] });
  expect(matches('hf_k7Qzm2PwR4tXn9cdLs', again.fingerprints.get(first?.name ?? '') ?? '')).toBe(true);
});

test('a run that was interrupted between values and fingerprints is completed with the same values', () => {
  const cwd = lockedProject();
  initSecrets(secretsNow(cwd).slice(0, 2), storeOf(cwd));
  const [first, second] = secretsNow(cwd);
  const done = init(cwd);
  expect(done.adopted).toEqual([first?.name, second?.name]);
  expect(done.made).not.toContain(first?.name);
  expect(
    secretsNow(cwd)
      .slice(0, 2)
      .map(({ value }) => value),
  ).toEqual([first?.value, second?.value]);
  expect(secretsNow(cwd).every(({ value = '', fingerprint = '' }) => matches(value, fingerprint))).toBe(true);
});

test('order, comments and style of the lock file stay to the byte', () => {
  const cwd = lockedProject();
  const [first, second] = secretsNow(cwd).map(({ name }) => name);
  const own = lockText(cwd)
    .replace('networks:', '# kept\nnetworks: # kept too')
    .replace(`  ${first}:\n    version: 1`, `  # of a person\n  ${first}:\n    version: 1 # the first`)
    .replace(`  ${second}:\n    version: 1`, `  ${second}: {version: 1}`);
  writeFileSync(join(cwd, LOCK_FILE), own);
  init(cwd);
  expect(lockText(cwd)).toMatch(/version: 1, fingerprint: sha256:/);
  expect(lockText(cwd).replace(/(\n {4}|, )fingerprint: sha256:[0-9a-f:]+/g, '')).toBe(own);
  expect(secretsNow(cwd).every(({ value = '', fingerprint = '' }) => matches(value, fingerprint))).toBe(true);
});

test('a lock file that ends without a newline, in the middle of its secrets', () => {
  const cwd = lockedProject();
  const secrets = /secrets:\n(?: .*\n)*/.exec(lockText(cwd))?.[0] ?? '';
  writeFileSync(join(cwd, LOCK_FILE), (lockText(cwd).replace(secrets, '') + secrets).trimEnd());
  init(cwd);
  expect(secretsNow(cwd).every(({ value = '', fingerprint = '' }) => matches(value, fingerprint))).toBe(true);
});

describe('nothing at all is written', () => {
  /** Initialised, then changed, then run again: codes and secrets of what is told. */
  function refused(change: (cwd: string, names: readonly string[]) => void) {
    const cwd = lockedProject();
    init(cwd);
    const names = secretsNow(cwd).map(({ name }) => name);
    change(cwd, names);
    const before = [
      lockText(cwd),
      ...storeOf(cwd)
        .list()
        .map(({ name }) => storeOf(cwd).read(name, 1)),
    ];
    let problems: readonly { code: string; path?: string | undefined }[] = [];
    try {
      init(cwd);
    } catch (error) {
      problems = (error as { problems: typeof problems }).problems;
    }
    expect([
      lockText(cwd),
      ...storeOf(cwd)
        .list()
        .map(({ name }) => storeOf(cwd).read(name, 1)),
    ]).toEqual(before);
    return problems.map(({ code, path }) => `${code} ${names.indexOf(path ?? '')}`);
  }

  test('when the lock file knows values that the store does not hold, all of which are told', () => {
    expect(
      refused((cwd, names) => {
        for (const name of [names[0], names[2]]) rmSync(storeOf(cwd).path(`${name}`, 1));
      }),
    ).toEqual(['SECRET_KNOWN_TO_LOCK 0', 'SECRET_KNOWN_TO_LOCK 2']);
  });

  test('when a stored value is not the promised one', () => {
    expect(refused((cwd, names) => writeFileSync(storeOf(cwd).path(`${names[1]}`, 1), generateSecret()))).toEqual([
      'SECRET_MISMATCH 1',
    ]);
  });

  test('when a value that would be adopted is empty', () => {
    expect(
      refused((cwd, names) => {
        writeFileSync(
          join(cwd, LOCK_FILE),
          lockText(cwd).replace(new RegExp(`( {2}${names[1]}:\n {4}version: 1\n) {4}fingerprint.*\n`), '$1'),
        );
        writeFileSync(storeOf(cwd).path(`${names[1]}`, 1), '');
      }),
    ).toEqual(['SECRET_UNSAFE 1']);
  });
});

test('generated values pass every check', () => {
  for (let i = 0; i < 200; i++) expect(unsoundness(generateSecret())).toEqual([]);
});
