import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { LOCK_FILE, lockedProject, storeOf } from '../secrets/project.js';

/** A pseudo-terminal of the operating system; the package comes with the framework's command line. */
interface Terminal {
  onData(listener: (text: string) => void): void;
  onExit(listener: (end: { readonly exitCode: number }) => void): void;
  write(text: string): void;
  kill(): void;
}

const { spawn } = createRequire(import.meta.url)('@cdktf/node-pty-prebuilt-multiarch') as {
  spawn(program: string, args: readonly string[], options: object): Terminal;
};

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const VALUE = 'a-value-that-nobody-guesses';

/** Types on a real terminal as soon as the question is there; gives back all that the screen showed. */
async function type(cwd: string, keys: string): Promise<{ readonly exit: number; readonly screen: string }> {
  const args = ['--import', import.meta.resolve('tsx'), MAIN, 'secrets', 'set', 'dev', 'qdrant-api-key'];
  const terminal = spawn(process.execPath, args, { cwd, env: process.env });
  onTestFinished(() => terminal.kill());
  let screen = '';
  let asked = false;
  terminal.onData((text) => {
    screen += text;
    if (asked || !screen.includes('Value of qdrant-api-key: ')) return;
    asked = true;
    terminal.write(keys);
  });
  const exit = await new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
  return { exit, screen };
}

test('a value that is typed on a real terminal is not echoed, and stored', async () => {
  const cwd = lockedProject();

  const { exit, screen } = await type(cwd, `wrong\u0015${VALUE}\r`);

  expect(screen).toBe('Value of qdrant-api-key: \r\nstored qdrant-api-key\r\n');
  expect([exit, storeOf(cwd).read('qdrant-api-key', 1)]).toEqual([0, VALUE]);
  expect(readFileSync(join(cwd, LOCK_FILE), 'utf8')).not.toContain(VALUE);
});

test('one that is refused is not shown either, and Ctrl-C leaves without a word', async () => {
  const cwd = lockedProject();

  const refused = await type(cwd, 'changeme-2024-!\r');
  expect(refused.exit).toBe(2);
  expect(refused.screen).toContain('SECRET_UNSAFE');
  expect(refused.screen).not.toContain('changeme');

  expect(await type(cwd, `${VALUE.slice(0, 9)}\u0003`)).toEqual({ exit: 130, screen: 'Value of qdrant-api-key: \r\n' });
  expect(storeOf(cwd).list()).toEqual([]);
});
