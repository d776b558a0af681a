import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { put } from '../config/project.js';
import { LOCK_FILE, lockedProject, secretsNow, storeOf } from '../secrets/project.js';
import { ROOT } from '../support/environments.js';
import { ragdock } from './terminal.js';

const NAME = 'qdrant-api-key';
const lockText = (cwd: string): string => readFileSync(join(cwd, LOCK_FILE), 'utf8');
const settings = (cwd: string, more: string): void => {
  const file = join(cwd, 'config/environments/dev.yaml');
  writeFileSync(file, `${readFileSync(file, 'utf8')}${more}`);
};

/** Everything that a command wrote, held against every value that the store has. */
async function silently(args: readonly string[], cwd: string, stdin?: string) {
  const outcome = await ragdock(['secrets', ...args], stdin === undefined ? { cwd } : { cwd, stdin });
  for (const { name, version } of storeOf(cwd).list()) {
    expect(outcome.stdout + outcome.stderr).not.toContain(storeOf(cwd).read(name, version));
  }
  return outcome;
}

async function initialised(more = ''): Promise<string> {
  const cwd = lockedProject();
  if (more) settings(cwd, more);
  await ragdock(['secrets', 'init', 'dev'], { cwd });
  return cwd;
}

describe('ragdock secrets rotate', () => {
  test('makes the next version and changes two values of the lock file, and nothing else in it', async () => {
    const cwd = await initialised();
    put(cwd, LOCK_FILE, lockText(cwd).replace(`  ${NAME}:`, `  # kept\n  ${NAME}:`));
    const before = lockText(cwd);
    const old = secretsNow(cwd).find(({ name }) => name === NAME);

    const { exit, stdout, stderr } = await silently(['rotate', 'dev', NAME], cwd);

    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    const now = secretsNow(cwd).find(({ name }) => name === NAME);
    expect(now).toMatchObject({ version: 2, value: expect.stringMatching(/^[\w-]{43}$/) });
    expect(now?.value).not.toBe(old?.value);
    expect(lockText(cwd)).toBe(
      before
        .replace(`${NAME}:\n    version: 1`, `${NAME}:\n    version: 2`)
        .replace(old?.fingerprint ?? '', now?.fingerprint ?? ''),
    );
    expect(await silently(['check', 'dev'], cwd)).toMatchObject({ exit: 0, stderr: '' });
    expect(storeOf(cwd).read(NAME, 1), 'in force until the deploy').toBe(old?.value);
    expect(stdout).toMatch(/^made {5}qdrant-api-key, version 2$/m);
    expect(stdout).toContain('  runs again: qdrant-collections\n');
    expect(stdout).toContain('  goes on running and reads the new version: rag-api\n');
    expect(stdout).toContain('  is replaced: qdrant\n    meanwhile: questions are refused with 503 and Retry-After');
  });

  test('removes what an earlier rotation has left', async () => {
    const cwd = await initialised();
    for (let version = 2; version <= 4; version += 1) await silently(['rotate', 'dev', NAME], cwd);
    const kept = storeOf(cwd)
      .list()
      .filter(({ name }) => name === NAME);
    expect(kept.map(({ version }) => version)).toEqual([3, 4]);
  });

  test('leaves lock files without fingerprints without, where values are of one machine', async () => {
    const cwd = await initialised('\nsecrets: {shared: false}\n');
    const before = lockText(cwd);
    await silently(['rotate', 'dev', NAME], cwd);
    expect(lockText(cwd)).toBe(before.replace(`${NAME}:\n    version: 1`, `${NAME}:\n    version: 2`));
  });

  test('with --to does the same once, however often it runs', async () => {
    const cwd = await initialised();
    expect((await silently(['rotate', 'dev', NAME, '--to', '2'], cwd)).exit).toBe(0);
    const after = lockText(cwd);
    expect(await silently(['rotate', 'dev', NAME, '--to', '2'], cwd)).toMatchObject({
      exit: 0,
      stdout: `${NAME} has version 2 already\n`,
    });
    expect(lockText(cwd)).toBe(after);
    const { exit, stderr } = await silently(['rotate', 'dev', NAME, '--to', '5'], cwd);
    expect(exit).toBe(2);
    expect(stderr).toContain('has version 2, so it can come to 3, not to 5');
  });

  test.each([
    ['rag-api-key', 'reads the new version: rag-api\n', 'is replaced'],
    ['rag-api-web-bot-key', 'reads the new version: rag-api, web-bot\n', 'is replaced'],
    ['postgres-superuser-password', 'replaces no service; nobody notices', 'is replaced'],
    ['postgres-rag-api-password', 'takes the old login away when all clients have the new one', 'is replaced'],
    ['llm-main-api-key', 'is replaced: llm-main\n', undefined],
  ])('says what a deploy does with %s', async (name, said, unsaid) => {
    const cwd = await initialised();
    const { stdout } = await silently(['rotate', 'dev', name], cwd);
    expect(stdout).toContain(said);
    if (unsaid) expect(stdout).not.toContain(unsaid);
  });

  test('leaves alone what would make stored data unreadable', async () => {
    const cwd = lockedProject();
    const file = join(cwd, 'config/environments/dev.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('services:\n', 'services:\n  grafana: {enabled: true}\n'));
    await ragdock(['lock', 'dev'], { cwd });
    await ragdock(['secrets', 'init', 'dev'], { cwd });
    const before = lockText(cwd);
    const { exit, stderr } = await silently(['rotate', 'dev', 'grafana-secret-key'], cwd);
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^SECRET_KEEPS_DATA .*could not be read any more/s);
    expect(lockText(cwd)).toBe(before);
  });
});

describe('a rotation that was cut off', () => {
  test('between value and lock file is completed by the next run with the value that is there', async () => {
    const cwd = await initialised();
    storeOf(cwd).write(NAME, 2, 'a-value-from-a-run-that-was-cut-off');
    const { stdout } = await silently(['rotate', 'dev', NAME], cwd);
    expect(stdout).toMatch(/^adopted {2}qdrant-api-key, version 2 \(its value was there\)$/m);
    expect(storeOf(cwd).read(NAME, 2)).toBe('a-value-from-a-run-that-was-cut-off');
    expect(await silently(['check', 'dev'], cwd)).toMatchObject({ exit: 0, stderr: '' });
  });

  test.each([0, 200, 400, 600, 800, 1000, 1200])(
    'by a kill after %i ms leaves one value and one whole lock file, and can be run again',
    async (milliseconds) => {
      const cwd = await initialised();
      const child = spawn(
        process.execPath,
        [join(ROOT, 'dist/src/cli/main.js'), 'secrets', 'rotate', 'dev', NAME, '--to', '2'],
        {
          cwd,
          stdio: 'ignore',
        },
      );
      const ended = new Promise((resolve) => child.once('exit', resolve));
      setTimeout(() => child.kill('SIGKILL'), milliseconds);
      await ended;
      const between = storeOf(cwd).read(NAME, 2);

      expect(await silently(['rotate', 'dev', NAME, '--to', '2'], cwd)).toMatchObject({ exit: 0, stderr: '' });

      if (between !== undefined) expect(storeOf(cwd).read(NAME, 2)).toBe(between);
      expect(secretsNow(cwd).find(({ name }) => name === NAME)).toMatchObject({ version: 2 });
      expect(await silently(['check', 'dev'], cwd)).toMatchObject({ exit: 0, stderr: '' });
    },
  );
});

describe('a secret that is not made here', () => {
  const VAULT = "\nsecrets: {store: command, command: [cat, 'vault/{env}/{name}.v{version}']}\n";

  test('is fetched in its next version, which has to be there and another one', async () => {
    const cwd = lockedProject();
    settings(cwd, VAULT);
    for (const { name } of secretsNow(cwd)) put(cwd, `vault/dev/${name}.v1`, `the-vault-keeps-this-for-${name}\n`);
    await ragdock(['secrets', 'init', 'dev'], { cwd });
    const before = lockText(cwd);

    const missing = await silently(['rotate', 'dev', NAME], cwd);
    expect(missing).toMatchObject({ exit: 3 });
    expect(missing.stderr).toMatch(/^SECRET_COMMAND_FAILED .*asked for version 2/s);

    put(cwd, `vault/dev/${NAME}.v2`, `the-vault-keeps-this-for-${NAME}\n`);
    const same = await silently(['rotate', 'dev', NAME], cwd);
    expect(same.exit).toBe(2);
    expect(same.stderr).toMatch(/^SECRET_NOT_NEW /m);
    expect(lockText(cwd)).toBe(before);

    put(cwd, `vault/dev/${NAME}.v2`, 'the-vault-keeps-something-new\n');
    const { exit, stdout } = await silently(['rotate', 'dev', NAME], cwd);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^fetched {2}qdrant-api-key, version 2$/m);
    expect(secretsNow(cwd).find(({ name }) => name === NAME)).toMatchObject({ version: 2 });
    expect(await silently(['check', 'dev'], cwd)).toMatchObject({ exit: 0, stderr: '' });
  });

  test('is read from stdin where somebody gave it', async () => {
    const cwd = lockedProject();
    const file = join(cwd, 'config/environments/dev.yaml');
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(
        'services:\n',
        'services:\n  qdrant: {external: {url: "https://vectors.example"}}\n',
      ),
    );
    await ragdock(['lock', 'dev', '--accept', 'qdrant-data'], { cwd });
    await ragdock(['secrets', 'init', 'dev'], { cwd });
    await silently(['set', 'dev', NAME], cwd, 'given-by-somebody-else-1\n');

    const same = await silently(['rotate', 'dev', NAME], cwd, 'given-by-somebody-else-1\n');
    expect(same.stderr).toMatch(/^SECRET_NOT_NEW /m);
    const { exit, stdout } = await silently(['rotate', 'dev', NAME], cwd, 'given-by-somebody-else-2\n');
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^given {4}qdrant-api-key, version 2$/m);
    expect(storeOf(cwd).read(NAME, 2)).toBe('given-by-somebody-else-2');
  });
});
