import { chmodSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkSecrets } from '../../src/secrets/check.js';
import { initSecrets } from '../../src/secrets/init.js';
import { writeFingerprints } from '../../src/secrets/lock-fingerprints.js';
import { unsoundness } from '../../src/secrets/soundness.js';
import { LOCK_FILE, lockedProject, secretsNow, storeOf } from './project.js';

/** A project with all secrets; the fingerprints are in the lock file when `known`. */
function initialised(known = true): { cwd: string; paths: readonly string[]; names: readonly string[] } {
  const cwd = lockedProject();
  const { fingerprints } = initSecrets(secretsNow(cwd), storeOf(cwd));
  if (known) writeFingerprints(join(cwd, LOCK_FILE), fingerprints);
  const names = secretsNow(cwd).map(({ name }) => name);
  return { cwd, names, paths: names.map((name) => storeOf(cwd).path(name, 1)) };
}

/** Problems after a change of the files, as `CODE name`. */
function problemsAfter(change: (paths: readonly string[], cwd: string) => void, known = false) {
  const { cwd, paths, names } = initialised(known);
  change(paths, cwd);
  const problems = checkSecrets(secretsNow(cwd), cwd);
  return { problems, brief: problems.map(({ code, path = '' }) => `${code} ${names.indexOf(path)}`) };
}

const at = (paths: readonly string[], index: number): string => paths[index] ?? '';

test('generated secrets have no problem', () => {
  expect(problemsAfter(() => undefined, true).problems).toEqual([]);
});

describe('is told', () => {
  test('a value that is missing, and one that is somewhere else', () => {
    const remove = (paths: readonly string[]) => rmSync(at(paths, 1));
    expect(problemsAfter(remove).brief).toEqual(['SECRET_MISSING 1']);
    expect(problemsAfter(remove, true).brief).toEqual(['SECRET_KNOWN_TO_LOCK 1']);
  });

  test('a value that is not the promised one', () => {
    const change = (paths: readonly string[]) => writeFileSync(at(paths, 0), 'another-value-of-some-length');
    expect(problemsAfter(change, true).brief).toEqual(['SECRET_MISMATCH 0']);
    expect(problemsAfter(change).brief).toEqual([]);
  });

  test('a value that two secrets have', () => {
    const { problems, brief } = problemsAfter((paths) => {
      for (const index of [0, 1, 3]) writeFileSync(at(paths, index), 'one-value-for-everything');
    });
    expect(brief).toEqual(['SECRET_UNSAFE 1', 'SECRET_UNSAFE 3']);
    expect(problems[0]?.message).toMatch(/same value as/);
  });

  test.each([
    ['file', 0o640, /mode is 0640/, /chmod 600 \.ragdock\/secrets\/dev\//],
    ['file', 0o602, /mode is 0602/, /chmod 600/],
  ])('a %s that others may use', (_kind, mode, message, remedy) => {
    const { problems, brief } = problemsAfter((paths) => chmodSync(at(paths, 2), mode));
    expect(brief).toEqual(['SECRET_UNSAFE 2']);
    expect(problems[0]).toMatchObject({
      message: expect.stringMatching(message),
      remedy: expect.stringMatching(remedy),
    });
  });

  test('a folder that others may use, once', () => {
    const { problems } = problemsAfter((_paths, cwd) => chmodSync(storeOf(cwd).folder, 0o750));
    expect(problems).toMatchObject([
      { code: 'SECRET_UNSAFE', file: '.ragdock/secrets/dev', remedy: 'chmod 700 .ragdock/secrets/dev' },
    ]);
  });

  test('the folder of all environments that others may use', () => {
    const { problems } = problemsAfter((_paths, cwd) => chmodSync(join(storeOf(cwd).folder, '..'), 0o770));
    expect(problems).toMatchObject([
      { code: 'SECRET_UNSAFE', file: '.ragdock/secrets', remedy: 'chmod 700 .ragdock/secrets' },
    ]);
  });

  test('a file beside that others may read: an older version has been a secret too', () => {
    const { problems } = problemsAfter((_paths, cwd) => {
      const path = storeOf(cwd).path('qdrant-api-key', 7);
      writeFileSync(path, 'what-was-in-force-before');
      chmodSync(path, 0o604);
    });
    expect(problems).toMatchObject([
      {
        code: 'SECRET_UNSAFE',
        file: '.ragdock/secrets/dev/qdrant-api-key.v7',
        message: expect.stringMatching(/mode is 0604/),
      },
    ]);
  });

  test.each([
    ['a default', 'postgres-password-2024', /default/],
    ['repetitions', 'aaaaaaaaaaaaaaaaaaaa', /repeats/],
    ['a row', '1234567890123456', /counts them up/],
    ['one that is too short', 'k7Qz-m2Pw', /fewer than 16/],
    ['an empty one', '', /empty/],
  ])('%s in place of a value', (_name, value, message) => {
    const { problems, brief } = problemsAfter((paths) => writeFileSync(at(paths, 2), value));
    expect(brief).toEqual(['SECRET_UNSAFE 2']);
    expect(problems[0]?.message).toMatch(message);
    if (value) expect(JSON.stringify(problems)).not.toContain(value);
  });

  test('a link in place of a file', () => {
    const { problems, brief } = problemsAfter((paths, cwd) => {
      renameSync(at(paths, 0), join(cwd, 'elsewhere'));
      symlinkSync(join(cwd, 'elsewhere'), at(paths, 0));
    });
    expect(brief).toEqual(['SECRET_UNSAFE 0']);
    expect(problems[0]?.message).toMatch(/no regular file/);
  });

  test('everything at once, and no part of a value', () => {
    const value = 'sécret-välue \n';
    const { problems, brief } = problemsAfter((paths) => {
      rmSync(at(paths, 0));
      writeFileSync(at(paths, 1), value);
      writeFileSync(at(paths, 2), '');
      chmodSync(at(paths, 3), 0o644);
    });
    expect(brief).toEqual([
      'SECRET_MISSING 0',
      'SECRET_UNSAFE 1',
      'SECRET_UNSAFE 1',
      'SECRET_UNSAFE 1',
      'SECRET_UNSAFE 2',
      'SECRET_UNSAFE 3',
    ]);
    expect(JSON.stringify(problems)).not.toMatch(/sécret|välue/);
  });
});

describe('soundness of a value', () => {
  test.each<[string, RegExp[]]>([
    ['', [/empty/]],
    ['k7Qzm2PwR4tXn9c', [/fewer than 16/]],
    ['k7Qzm2PwR4tXn9cd', []],
    ['A-Za-z0-9._~-ok!', [/URLs/]],
    ['correct.horse_battery~staple-9', []],
    ['k7Qzm2PwR4tXn9cd\n', [/newline/]],
    [' k7Qzm2PwR4tXn9cd', [/starts or ends/]],
    ['k7Qzm2PwR 4tXn9cd', [/URLs/]],
    ['pass@word/with:parts', [/URLs/]],
    ["k7Qzm2PwR4'tXn9cd\\", [/URLs/]],
    ['k7Qzm2PwR4tXn9cd+/==', [/URLs/]],
    ['парольпарольпароль', [/repeats/, /URLs/]],
    ['a b\n', [/newline/, /fewer/, /URLs/]],
    ['\n', [/newline/, /fewer/]],
  ])('%j', (value, expected) => {
    const faults = unsoundness(value);
    expect(faults).toHaveLength(expected.length);
    for (const [index, message] of expected.entries()) expect(faults[index]?.message).toMatch(message);
  });
});
