import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { askCommand, type CommandStore } from '../../src/secrets/command-store.js';
import type { KnownSecret } from '../../src/secrets/inventory.js';
import { put } from '../config/project.js';
import { temporaryFolder } from '../support/folder.js';

const VALUE = 'a-value-that-nobody-guesses';

const secret = (name: string, version = 1): KnownSecret => ({
  name,
  version,
  fingerprint: undefined,
  value: undefined,
  file: `.ragdock/secrets/dev/${name}.v${version}`,
});

/** Ask a shell script for secrets. Its arguments are environment, name and version. */
function ask(script: string, { secrets = [secret('api-key')], ...options }: Partial<CommandStore> & Asked = {}) {
  return askCommand(secrets, {
    command: ['sh', '-c', script, 'vault-read', '{env}', '{name}', '{version}'],
    environment: 'dev',
    timeoutSeconds: 20,
    cwd: temporaryFolder(),
    signal: new AbortController().signal,
    ...options,
  });
}

interface Asked {
  readonly secrets?: readonly KnownSecret[];
}

/** What the one problem says. */
async function refusal(script: string, options: Partial<CommandStore> & Asked = {}): Promise<string> {
  const { values, problems } = await ask(script, options);
  expect([...values]).toEqual([]);
  expect(problems.map(({ code, path }) => [code, path])).toEqual([['SECRET_COMMAND_FAILED', 'api-key']]);
  return problems[0]?.message ?? '';
}

describe('a value', () => {
  test.each([
    ['as it is', `printf %s ${VALUE}`, VALUE],
    ['without one newline at its end', `echo ${VALUE}`, VALUE],
    ['with the second one', `echo ${VALUE}; echo`, `${VALUE}\n`],
    ['with the white space around it', `printf ' %s\\r\\n' ${VALUE}`, ` ${VALUE}\r`],
  ])('comes %s', async (_name, script, value) => {
    expect(await ask(script)).toEqual({ values: new Map([['api-key', value]]), problems: [] });
  });

  test('is asked for by environment, name and version, and no shell reads the arguments', async () => {
    const { values } = await ask('', {
      command: ['printf', '%s;', '{env}/{name}', 'v{version}', '$HOME `id` {name}{name}', '{{.value}}', '{.data}'],
      secrets: [secret('api-key', 3)],
    });

    expect(values.get('api-key')).toBe('dev/api-key;v3;$HOME `id` api-keyapi-key;{{.value}};{.data};');
  });

  test('comes from a program of the project', async () => {
    const cwd = temporaryFolder();
    put(cwd, 'ci/vault-read', `#!/bin/sh\necho "${VALUE}-$1"\n`);
    chmodSync(join(cwd, 'ci/vault-read'), 0o755);

    const { values } = await ask('', { command: ['ci/vault-read', '{name}'], cwd });

    expect(values.get('api-key')).toBe(`${VALUE}-api-key`);
  });

  test('is awaited no longer than its program lives, whoever else holds the pipe', async () => {
    const started = Date.now();

    const { values } = await ask(`sleep 30 & echo ${VALUE}`);

    expect(values.get('api-key')).toBe(VALUE);
    expect(Date.now() - started).toBeLessThan(15_000);
  });

  test('of many comes in any order', async () => {
    const secrets = ['a-key', 'b-key', 'c-key', 'd-key', 'e-key', 'f-key'].map((name) => secret(name));

    const { values, problems } = await ask(`case $2 in b-key|e-key) exit 4;; *) echo "${VALUE}-$2";; esac`, {
      secrets,
    });

    expect([...values.keys()].sort()).toEqual(['a-key', 'c-key', 'd-key', 'f-key']);
    expect(problems.map(({ path }) => path)).toEqual(['b-key', 'e-key']);
  });
});

describe('no value', () => {
  test.each<[string, string, RegExp, Partial<CommandStore>?]>([
    ['when it fails', 'exit 7', /^sh ended with exit code 7, asked for version 1, and said nothing$/],
    ['when it fails after a value', `echo ${VALUE}; exit 1`, /exit code 1/],
    ['when it is ended', 'kill -TERM $$', /ended by SIGTERM/],
    ['when it prints nothing', 'true', /printed nothing/],
    ['when it prints a newline', 'echo', /printed nothing/],
    ['when it prints no text', `printf '\\377\\376'`, /no text/],
    ['when it prints a flood', 'yes', /printed more than 64 KiB/],
    ['when it takes too long', 'sleep 30', /took longer than 1 s/, { timeoutSeconds: 1 }],
    [
      'when there is no such program',
      '',
      /^no-such-program cannot start: there is no such program/,
      { command: ['no-such-program'] },
    ],
    ['when it may not be run', '', /may not be run/, { command: ['/'] }],
  ])('%s', async (_name, script, message, options = {}) => {
    expect(await refusal(script, options)).toMatch(message);
  });

  test('what the program says is shown, its end at least', async () => {
    const message = await refusal('seq 100 >&2; printf "\\033[31mnothing is called %s\\n\\n" "$2" >&2; exit 3');

    expect(message).toBe(
      'sh ended with exit code 3, asked for version 1:\n      97\n      98\n      99\n      100\n      [31mnothing is called api-key',
    );
  });

  test('but no secret in it', async () => {
    const known = 'a-value-of-the-day-before';
    const script = `echo ${VALUE}; echo "got ${VALUE} and ${known}, token=abcdefghijkl" >&2; exit 1`;

    const message = await refusal(script, { known: [known] });

    expect(message).toContain('got *** and ***, token=***');
  });

  test('nor one that another call gave', async () => {
    const secrets = [secret('api-key'), secret('other-key')];
    const script = `if [ $2 = other-key ]; then echo ${VALUE}; else echo "not ${VALUE}" >&2; exit 1; fi`;

    const { problems } = await ask(script, { secrets });

    expect(problems[0]?.message).toContain('not ***');
  });

  test('and nothing more is asked for after an interruption', async () => {
    const interrupt = new AbortController();
    const asked = ask('sleep 30', { signal: interrupt.signal });
    interrupt.abort();

    expect((await asked).values.size).toBe(0);
  });
});
