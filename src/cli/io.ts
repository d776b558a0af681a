import type { Readable } from 'node:stream';

/** Where a command writes text. */
export interface Output {
  write(text: string): void;
  /** Whether people are looking: progress and colours are for them alone. */
  readonly isTTY: boolean;
  /** Lines of the terminal now. @default - not known, or no terminal */
  readonly rows?: number | undefined;
  /** Whether to colour: a terminal, and `NO_COLOR` is not set. */
  readonly colour: boolean;
}

/** A terminal's input can be read key by key; a pipe's cannot. */
export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };

/** Everything that a command may know of the process it runs in. Tests pass their own. */
export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Folder that relative paths are meant from; it holds `config/environments`. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. A command that waits for anything must stop waiting then. */
  readonly signal: AbortSignal;
}

const CODES = {
  red: [31, 39],
  yellow: [33, 39],
  green: [32, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
  bold: [1, 22],
  dim: [2, 22],
} as const;

/** `text` in a colour where the output shows colours. */
export function paint(output: Output, style: keyof typeof CODES, text: string): string {
  const [on, off] = CODES[style];
  return output.colour ? `\u001b[${on}m${text}\u001b[${off}m` : text;
}

/** The real process. */
export function processIo(signal: AbortSignal): Io {
  const output = (stream: NodeJS.WriteStream): Output => ({
    write: (text) => {
      stream.write(text);
    },
    isTTY: stream.isTTY === true,
    get rows() {
      return stream.rows;
    },
    colour: stream.isTTY === true && !process.env.NO_COLOR,
  });
  return {
    stdin: process.stdin,
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    cwd: process.cwd(),
    env: process.env,
    signal,
  };
}
