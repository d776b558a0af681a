import { type SpawnOptions, spawn } from 'node:child_process';

export interface Ended {
  /** The process id that the program had. */
  readonly pid: number | undefined;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions extends SpawnOptions {
  readonly timeoutSeconds?: number;
  /** A signal that the program gets once, when it has printed a text. */
  readonly signalOn?: { readonly says: string; readonly signal: NodeJS.Signals } | undefined;
}

/** Run a program to its end. Standard input is closed; the program is killed after `timeoutSeconds`. */
export function run(
  command: readonly string[],
  { timeoutSeconds = 10, signalOn, ...options }: RunOptions = {},
): Promise<Ended> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutSeconds * 1000,
    });
    const output = { stdout: '', stderr: '' };
    let signalled = false;
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
        if (!signalled && signalOn && output.stdout.includes(signalOn.says)) signalled = child.kill(signalOn.signal);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ pid: child.pid, code, ...output }));
  });
}
