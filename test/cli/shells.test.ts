import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { completionScript, type Shell } from '../../src/cli/completion/scripts.js';
import { MINIMAL, project, put } from '../config/project.js';
import { temporaryFolder } from '../support/folder.js';
import { run } from '../support/run.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const PATH = process.env.PATH ?? '';

// The scripts in the shells that they are for. A machine may lack a shell; one that checks everything (CI) may not.
const lacks = (shell: Shell): boolean =>
  !process.env.CI && !PATH.split(delimiter).some((folder) => existsSync(join(folder, shell)));

/** A folder with environments and files, and a `ragdock` that the shell finds. */
function place(): { cwd: string; env: Record<string, string> } {
  const cwd = project({ 'dev.yaml': MINIMAL, 'lab.yaml': MINIMAL });
  put(cwd, 'tiny model.gguf', '');
  const bin = temporaryFolder();
  const command = [process.execPath, '--import', import.meta.resolve('tsx'), MAIN].map((word) => `'${word}'`).join(' ');
  writeFileSync(join(bin, 'ragdock'), `#!/bin/sh\nexec ${command} "$@"\n`);
  chmodSync(join(bin, 'ragdock'), 0o755);
  return { cwd, env: { PATH: `${bin}${delimiter}${PATH}`, HOME: bin, LANG: 'C.UTF-8' } };
}

/** What a shell prints when it runs the completion script and then another one. */
async function inShell(shell: Shell, args: readonly string[], then: string): Promise<readonly string[]> {
  const { cwd, env } = place();
  const script = `${completionScript(shell)}\n${then}\n`;
  const { code, stdout, stderr } = await run([shell, ...args, '-c', script], { cwd, env, timeoutSeconds: 30 });
  expect([code, stderr]).toEqual([0, '']);
  return stdout.split('\n').filter((line) => line !== '');
}

const CASES: readonly [string, readonly string[], readonly string[]][] = [
  ['a command', ['smo'], ['smoke']],
  ['an environment', ['lock', ''], ['dev', 'lab']],
  ['an option', ['lock', 'dev', '--ch'], ['--check']],
  ['a file', ['model', 'import', 'tiny'], ['tiny model.gguf']],
];

describe.skipIf(lacks('bash'))('bash completes', () => {
  test.each(CASES)('%s', async (_name, words, expected) => {
    const typed = ['ragdock', ...words].map((word) => `'${word}'`).join(' ');
    const last = words.at(-1) ?? '';
    const then = `COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _ragdock ragdock '${last}'; printf '%s\\n' "\${COMPREPLY[@]}"`;
    expect(await inShell('bash', ['--norc', '--noprofile'], then)).toEqual(expected);
  });
});

describe.skipIf(lacks('zsh'))('zsh completes', () => {
  // The completion system only runs at a prompt, so its two functions that are called say what they got.
  const system = [
    'compdef() { }',
    '_describe() { print -rl -- "${(@)candidates%%:*}" }',
    '_files() { print -rl -- ${words[CURRENT]}*(N) }',
  ].join('\n');

  test.each(CASES)('%s', async (_name, words, expected) => {
    const { cwd, env } = place();
    const typed = ['ragdock', ...words].map((word) => `'${word}'`).join(' ');
    const script = `${system}\n${completionScript('zsh')}\nwords=(${typed}); CURRENT=${words.length + 1}; _ragdock\n`;
    const { code, stdout, stderr } = await run(['zsh', '-f', '-c', script], { cwd, env, timeoutSeconds: 30 });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n').filter((line) => line !== '')).toEqual(expected);
  });
});

describe.skipIf(lacks('fish'))('fish completes', () => {
  test.each(CASES)('%s', async (_name, words, expected) => {
    const lines = await inShell('fish', ['--no-config'], `complete --do-complete 'ragdock ${words.join(' ')}'`);
    expect(lines.map((line) => line.split('\t')[0])).toEqual(expected);
  });
});
