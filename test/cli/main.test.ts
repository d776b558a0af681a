import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MAX_BYTES } from '../../config/read-text.js';
import { MINIMAL, project } from '../config/project.js';
import { lockedProject } from '../secrets/project.js';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url);
const TSX = import.meta.resolve('tsx');
/** Tells the test when Ctrl-C is listened for: before, it would end Node itself. */
const READY = `data:text/javascript,process.on('newListener', (name) => name === 'SIGINT' && process.send('ready'))`;

/** The real command in a process of its own. */
function start(
  args: readonly string[],
  cwd: string,
): ChildProcess & { readonly texts: { stdout: string; stderr: string } } {
  const child = spawn(process.execPath, ['--import', TSX, '--import', READY, fileURLToPath(MAIN), ...args], {
    cwd,
    // A pipeline is warned of a state that its next machine would not have.
    env: { ...process.env, CI: undefined },
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const texts = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => {
    texts.stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    texts.stderr += chunk;
  });
  return Object.assign(child, { texts });
}

async function ended(child: ReturnType<typeof start>) {
  const [exit, signal] = await once(child, 'close');
  return { exit, signal, ...child.texts };
}

test('is a program of its own for Node', () => {
  expect(readFileSync(MAIN, 'utf8').split('\n')[0]).toBe('#!/usr/bin/env node');
});

test('exit code and streams reach the outside', async () => {
  const good = await ended(start(['validate'], lockedProject()));
  expect(good).toEqual({ exit: 0, signal: null, stdout: 'valid  dev  config/environments/dev.yaml\n', stderr: '' });
  const bad = await ended(start(['validate', 'nothing'], lockedProject()));
  expect(bad).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringMatching(/^ENVIRONMENT_UNKNOWN\n/) });
});

test('Ctrl-C ends a command that waits with 130 and without a word', async () => {
  const child = start(['secrets', 'set', 'dev', 'qdrant-api-key'], lockedProject());
  await once(child, 'message');
  child.kill('SIGINT');
  expect(await ended(child)).toEqual({ exit: 130, signal: null, stdout: '', stderr: '' });
});

test('a reader that stops reading ends it as a broken pipe ends other programs, without a word', async () => {
  const child = start(['validate', '--print'], lockedProject());
  child.stdout?.destroy();
  const { exit, stderr } = await ended(child);
  expect([exit, stderr]).toEqual([128 + constants.signals.SIGPIPE, '']);
});

describe('no input brings out a stack trace', () => {
  test.each<[string, string | Uint8Array]>([
    ['bytes at random', Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251)],
    ['lists in each other', '['.repeat(MAX_BYTES)],
    [
      'an alias bomb',
      `a: &a [x]\n${Array.from({ length: 30 }, (_, i) => `b${i}: &b${i} [${'*a,'.repeat(9)}]`).join('\n')}`,
    ],
    ['a proto', `${MINIMAL}__proto__: {x: 1}\nconstructor: {}\ntoString: 1\n`],
    ['names of methods', `${MINIMAL}extraServices: {constructor: {image: "a:1"}, has-own: {image: 7}}\n`],
  ])('%s', async (_name, content) => {
    const { exit, stdout, stderr } = await ended(start(['validate'], project({ 'dev.yaml': content })));
    expect([exit, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^[A-Z0-9_]+ {2}config\/environments\/dev\.yaml/);
    expect(stderr).not.toMatch(/\n\s+at |INTERNAL|Error:/);
  });
});
