import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { ROOT } from './environments.js';

/** A process of Node that runs a TypeScript file of the tests; it is gone after the test that started it. */
export class Program {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #ended: Promise<unknown>;
  #output = '';
  #errors = '';

  private constructor(file: URL, args: readonly string[]) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(file), ...args], {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#ended = once(this.#child, 'close');
    this.#child.stdin.on('error', () => undefined);
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
  }

  static start(file: URL, ...args: readonly string[]): Program {
    const program = new Program(file, args);
    onTestFinished(() => program.kill());
    return program;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the process was not started');
    return this.#child.pid;
  }

  /** The whole lines that it has printed. Throws when it ended with an error. */
  get lines(): readonly string[] {
    const { exitCode } = this.#child;
    if (exitCode !== null && exitCode !== 0) throw new Error(`exit code ${exitCode}: ${this.#errors}`);
    return this.#output.split('\n').slice(0, -1);
  }

  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Kills it as the kernel does when memory is short, and waits for its end; one that has ended is no fault. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
