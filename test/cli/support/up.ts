import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type Handler, json, ScriptedServer } from '../../support/http-server.js';
import { until } from '../../support/until.js';

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

/** A start makes a database and asks itself everything; on a busy machine that takes a while. In milliseconds. */
const READY_MS = 60_000;

const MODEL = 'saiga';

/** `ragdock up` in a process of its own, in a data folder that a test names. */
export class Up {
  readonly #child: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(dataFolder: string, ...args: readonly string[]) {
    const command = ['up', '--port', '0', '--data-dir', dataFolder, ...args];
    this.#child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), MAIN, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    // Its folder is removed next, and a process that writes meanwhile would fail that.
    onTestFinished(async () => {
      this.#child.kill('SIGKILL');
      await this.ended();
    });
  }

  static async ready(dataFolder: string, ...args: readonly string[]): Promise<Up> {
    const up = new Up(dataFolder, ...args);
    await until(
      'ragdock up is ready',
      () => {
        if (up.hasEnded) throw new Error(`ended early:\n${up.stdout}\n${up.stderr}`);
        return up.stdout.includes('Ctrl-C ends it');
      },
      READY_MS,
    );
    return up;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Base address, as the command tells it. */
  get url(): string {
    return /^chat +(http:\S+)$/m.exec(this.stdout)?.[1] ?? '';
  }

  /** The exit code, when it has ended; null when a signal ended it. */
  async ended(): Promise<number | null> {
    if (!this.hasEnded) await once(this.#child, 'close');
    return this.#child.exitCode;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.kill(signal);
    return this.ended();
  }

  ask(message: string, signal?: AbortSignal): Promise<Response> {
    return fetch(`${this.url}/process_message`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message, user_name: 'Анна', course: 'sundials' }),
      ...(signal ? { signal } : {}),
    });
  }

  /** A saved exchange. */
  async exchange(id: string): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.url}/exchanges/${id}`);
    return { httpStatus: response.status, ...((await response.json()) as object) };
  }
}

/** A server of the OpenAI protocol with one model, whose answers a test scripts. */
export async function modelServer(chat: Handler): Promise<ScriptedServer> {
  const server = await ScriptedServer.start((request, response) => {
    if (request.path === '/v1/models')
      json(response, 200, { object: 'list', data: [{ id: MODEL, max_model_len: 4096 }] });
    else return chat(request, response);
  });
  onTestFinished(() => server.close());
  return server;
}
