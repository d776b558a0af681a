import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exchange } from './http.js';
import { python } from './venv.js';

const home = fileURLToPath(new URL('..', import.meta.url));
const START_MS = 20_000;
const POLL_MS = 20;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** A folder for a server's data that is gone after the test. */
export async function storageFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'ragdock-qdrant-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A stand-in as a process of its own, on a free port. */
export class QdrantProcess {
  readonly exited: Promise<Exit>;
  #output = '';

  private constructor(
    readonly port: number,
    readonly metricsPort: number,
    readonly child: ChildProcess,
  ) {
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString();
    });
    this.exited = once(child, 'exit').then(([code, signal]) => ({ code, signal, output: this.#output }));
  }

  /** Starts the process and does not wait: for servers that are meant to fail, or to be asked while they load. */
  static async spawn(storage: string, env: Readonly<Record<string, string>> = {}): Promise<QdrantProcess> {
    const [port, metricsPort] = await freePorts();
    const child = spawn(await python(), ['-m', 'stand_in'], {
      cwd: home,
      env: {
        PATH: process.env.PATH ?? '',
        PYTHONDONTWRITEBYTECODE: '1',
        QDRANT__SERVICE__HOST: '127.0.0.1',
        QDRANT__SERVICE__HTTP_PORT: String(port),
        QDRANT__STORAGE__STORAGE_PATH: join(storage, 'storage'),
        QDRANT_INIT_FILE_PATH: join(storage, 'initialised'),
        ...env,
        ...(env.QDRANT__SERVICE__METRICS_PORT === undefined
          ? {}
          : { QDRANT__SERVICE__METRICS_PORT: String(metricsPort) }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new QdrantProcess(port, metricsPort, child);
  }

  static async start(storage: string, env: Readonly<Record<string, string>> = {}): Promise<QdrantProcess> {
    const server = await QdrantProcess.spawn(storage, env);
    await server.#answers();
    return server;
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT' = 'SIGTERM'): Promise<Exit> {
    this.child.kill(signal);
    return this.exited;
  }

  async #answers(): Promise<void> {
    const deadline = Date.now() + START_MS;
    let exit: Exit | undefined;
    this.exited.then((value) => {
      exit = value;
    });
    for (;;) {
      try {
        const answer = await exchange(this.port, { method: 'GET', path: '/readyz' });
        if (answer.status === 200) {
          return;
        }
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED')) {
          throw error;
        }
      }
      if (exit !== undefined || Date.now() > deadline) {
        throw new Error(`the stand-in does not answer: ${JSON.stringify(exit)}\n${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

async function freePorts(): Promise<[number, number]> {
  const listeners = [createServer(), createServer()];
  const ports: number[] = [];
  for (const listener of listeners) {
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    ports.push(typeof address === 'object' && address !== null ? address.port : 0);
  }
  await Promise.all(listeners.map((listener) => new Promise((resolve) => listener.close(resolve))));
  const [first = 0, second = 0] = ports;
  return [first, second];
}
