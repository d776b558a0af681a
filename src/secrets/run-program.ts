import { spawn } from 'node:child_process';

/** How a program that was to print something ended. */
export type ProgramOutcome =
  /** Exit code 0. */
  | { readonly stdout: Buffer }
  | {
      /** Why it gave nothing: `ended with exit code 2`. */
      readonly failure: string;
      /** Undefined when it did not end by itself, or did not start. */
      readonly exitCode: number | undefined;
      /** Whether there is no such program. */
      readonly missing: boolean;
      /** What it wrote beside, as far as it was kept. Neither has been masked. */
      readonly stdout: Buffer;
      readonly stderr: Buffer;
    };

/** Bounds of a program. */
export interface ProgramLimits {
  readonly cwd: string;
  readonly timeoutSeconds: number;
  /** Most bytes of standard output; a program that writes more is ended. */
  readonly mostBytes: number;
  readonly signal: AbortSignal;
  /** What it reads on standard input. @default - nothing */
  readonly input?: string;
}

/** Bytes of standard error that are kept, the last ones. */
const STDERR_BYTES = 8 * 1024;

/**
 * Run a program without a shell, with the environment variables of this process, and wait for its end. Whatever it started itself is not waited for.
 *
 * @param command program and arguments
 */
export function runProgram(command: readonly string[], limits: ProgramLimits): Promise<ProgramOutcome> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    const stdout: Buffer[] = [];
    let length = 0;
    let stderr = Buffer.alloc(0);
    const child = spawn(program, args, { cwd: limits.cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    const end = (failure: string | undefined, missing = false): void => {
      clearTimeout(timer);
      limits.signal.removeEventListener('abort', interrupt);
      // A program that it left behind may hold the pipes open for ever.
      child.stdout.destroy();
      child.stderr.destroy();
      const printed = Buffer.concat(stdout);
      if (failure === undefined) resolve({ stdout: printed });
      else resolve({ failure, exitCode: child.exitCode ?? undefined, missing, stdout: printed, stderr });
    };
    const kill = (failure: string): void => {
      child.kill('SIGKILL');
      end(failure);
    };
    const interrupt = (): void => kill('was interrupted');
    const timer = setTimeout(() => kill(`took longer than ${limits.timeoutSeconds} s`), limits.timeoutSeconds * 1000);
    limits.signal.addEventListener('abort', interrupt, { once: true });
    // A program that reads nothing, or not to the end, may do so.
    child.stdin.on('error', () => undefined);
    child.stdin.end(limits.input ?? '');
    child.stdout.on('data', (chunk: Buffer) => {
      stdout.push(chunk);
      length += chunk.length;
      if (length > limits.mostBytes) kill(`printed more than ${limits.mostBytes / 1024} KiB`);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_BYTES);
    });
    child.on('error', ({ code = '' }: NodeJS.ErrnoException) =>
      end(STARTS[code] ?? `cannot start: ${code}`, code === 'ENOENT'),
    );
    child.on('exit', () => {
      // What it printed may still be on its way; what others keep open is not worth more than a moment.
      const grace = setTimeout(() => end(exitOf(child.exitCode, child.signalCode)), GRACE_MS);
      child.on('close', () => {
        clearTimeout(grace);
        end(exitOf(child.exitCode, child.signalCode));
      });
    });
  });
}

/** Time that output has to arrive after the end of its program, in milliseconds. */
const GRACE_MS = 2000;

const STARTS: Readonly<Record<string, string>> = {
  ENOENT: 'cannot start: there is no such program',
  EACCES: 'cannot start: it may not be run',
  E2BIG: 'cannot start: its arguments are too long',
};

function exitOf(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (code === 0) return undefined;
  return code === null ? `was ended by ${signal}` : `ended with exit code ${code}`;
}
