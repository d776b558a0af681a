import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { until } from '../support/until.js';

/** Python may start slowly on a busy machine, in milliseconds. */
const START_MS = 20_000;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A stand-in that runs as a process of its own, without a container. */
export class StandInProcess {
  private constructor(
    readonly url: string,
    readonly child: ChildProcess,
    readonly ended: Promise<Ended>,
    /** What it has written to standard output so far. */
    readonly printed: () => string,
  ) {}

  /** Start a Python program with the arguments and variables for a free port; it does not answer before it is ready. */
  static async start(
    program: string,
    on: (port: number) => {
      readonly args?: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
    },
  ): Promise<StandInProcess> {
    const port = await freePort();
    const { args = [], env = {} } = on(port);
    const child = spawn('python3', [program, ...args], {
      env: { PATH: process.env.PATH ?? '', PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.on('data', (data: Buffer) => {
        output[name] += data.toString();
      });
    }
    const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, ...output })));
    return new StandInProcess(`http://127.0.0.1:${port}`, child, ended, () => output.stdout);
  }

  /** Wait until it answers on a path. */
  async ready(path = '/health'): Promise<this> {
    await until(
      'the stand-in answers',
      async () => {
        if (this.child.exitCode !== null) throw new Error(`it ended: ${(await this.ended).stderr}`);
        return fetch(`${this.url}${path}`).then(
          ({ ok }) => ok,
          () => false,
        );
      },
      START_MS,
    );
    return this;
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }
}

/** A port of the loopback address on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
