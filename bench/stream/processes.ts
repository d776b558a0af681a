import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Command, Script, Usage } from './protocol.js';

/** Inside the package, where what is not bundled is found. */
const OUTPUT = fileURLToPath(new URL('../../node_modules/.cache/ragdock-bench/', import.meta.url));

/**
 * Compiles the programs of this folder as those of an image are compiled. A loader of TypeScript gives each function
 * its name when it is made, which an answer would pay for with every token.
 */
export async function compile(names: readonly string[]): Promise<void> {
  mkdirSync(OUTPUT, { recursive: true });
  await build({
    entryPoints: names.map((name) => fileURLToPath(new URL(`${name}.ts`, import.meta.url))),
    outdir: OUTPUT,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    charset: 'utf8',
    logLevel: 'warning',
  });
}

/** A process that answers commands. */
export class Child {
  private constructor(
    readonly process: ChildProcess,
    /** Port on which it listens. */
    readonly port: number,
  ) {}

  static async start(name: string, args: readonly string[], flags: readonly string[] = []): Promise<Child> {
    const child = fork(join(OUTPUT, `${name}.mjs`), [...args], { execArgv: ['--expose-gc', ...flags] });
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${name} ended before it listened`);
    });
    const [port] = await Promise.race([once(child, 'message'), ended]);
    ended.catch(() => undefined);
    return new Child(child, Number(port));
  }

  answerBy(script: Script): Promise<unknown> {
    return this.#tell({ script });
  }

  usage(usage: 'processor' | 'memory'): Promise<Usage> {
    return this.#tell({ usage });
  }

  async stop(): Promise<void> {
    this.process.disconnect();
    if (this.process.exitCode === null) await once(this.process, 'exit');
  }

  async #tell<T>(command: Command): Promise<T> {
    const reply = once(this.process, 'message');
    this.process.send(command);
    const [message] = await reply;
    return message as T;
  }
}
