import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../process.js';

const COMMAND = fileURLToPath(new URL('../bin/vllm', import.meta.url));

/** The name under which the recorded server served its model. */
export const RECORDED_MODEL = 'NightForger/saiga_nemo_12b-GPTQ';

export interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** Run the stand-in's command to its end. */
export function runToEnd(args: readonly string[]): Promise<Ended> {
  const child = spawn('python3', [COMMAND, 'serve', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  return endOf(child);
}

function endOf(child: ChildProcess): Promise<Ended> {
  let stderr = '';
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr })));
}

export class StandIn {
  private constructor(
    readonly url: string,
    readonly port: number,
    readonly child: ChildProcess,
    readonly ended: Promise<Ended>,
  ) {}

  /** Start it; it does not answer before it is ready. */
  static async start(
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    model = '/models/SmolLM2-135M-Instruct',
  ): Promise<StandIn> {
    const port = await freePort();
    const all = [model, '--host', '127.0.0.1', '--port', String(port), ...args];
    const named = args.some((arg) => arg.startsWith('--served-model-name'))
      ? []
      : ['--served-model-name', RECORDED_MODEL];
    const child = spawn('python3', [COMMAND, 'serve', ...all, ...named], {
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return new StandIn(`http://127.0.0.1:${port}`, port, child, endOf(child));
  }

  /** Start it and wait until it answers. */
  static async ready(
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    model?: string,
  ): Promise<StandIn> {
    const server = await StandIn.start(args, env, model);
    for (let tries = 0; tries < 200; tries++) {
      const answers = await fetch(`${server.url}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (answers) return server;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the stand-in did not become ready');
  }

  stop(): Promise<Ended> {
    this.child.kill('SIGKILL');
    return this.ended;
  }
}
