import { PassThrough } from 'node:stream';
import type { Input, Io, Output } from '../../src/cli/io.js';
import { run } from '../../src/cli/run.js';

/** What a command line did. */
export interface Outcome {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TerminalOptions {
  readonly cwd: string;
  /** What stdin holds. @default - nothing */
  readonly stdin?: string | Input;
  readonly env?: Readonly<Record<string, string>>;
  readonly colour?: boolean;
  readonly signal?: AbortSignal;
}

/** Run a command line in this process and keep what it wrote. */
export async function ragdock(args: readonly string[], options: TerminalOptions): Promise<Outcome> {
  const written = { stdout: '', stderr: '' };
  const output = (name: keyof typeof written): Output => ({
    write: (text) => {
      written[name] += text;
    },
    isTTY: false,
    colour: options.colour === true,
  });
  const io: Io = {
    stdin: typeof options.stdin === 'object' ? options.stdin : pipe(options.stdin ?? ''),
    stdout: output('stdout'),
    stderr: output('stderr'),
    cwd: options.cwd,
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
  };
  const exit = await run(args, io);
  return { exit, ...written };
}

function pipe(text: string): Input {
  const stream = new PassThrough();
  stream.end(text);
  return stream;
}

/** A terminal whose keys are pressed by the test; it tells whether it was read key by key. */
export function keyboard(): Input & { readonly modes: readonly boolean[]; press(keys: string): void } {
  const modes: boolean[] = [];
  const stream = new PassThrough();
  return Object.assign(stream, {
    isTTY: true,
    modes,
    setRawMode: (on: boolean) => {
      modes.push(on);
      return stream;
    },
    press: (keys: string) => {
      stream.write(keys);
    },
  });
}
