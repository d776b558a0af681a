import { createInterface } from 'node:readline';
import { addAbortSignal, Writable } from 'node:stream';
import { RagdockError } from '../errors/problem.js';
import { Interrupted } from './exit.js';
import type { Io } from './io.js';

/** Most bytes of a value that comes by a pipe. */
const LONGEST_INPUT = 64 * 1024;

/**
 * A secret value: typed without echo on a terminal, otherwise everything that stdin holds, without one newline at its
 * end. Never from the command line, which every user of the machine can read.
 */
export async function readSecret(io: Io, question: string): Promise<string> {
  return io.stdin.isTTY ? await typed(io, question) : await piped(io);
}

async function typed(io: Io, question: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  // With a terminal as input readline echoes to its output, which is nowhere.
  const lines = createInterface({ input: io.stdin, output: silent, terminal: true });
  io.stderr.write(question);
  try {
    return await new Promise((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => reject(new Interrupted()));
      // The end of the input (Ctrl-D) is an empty value, which is refused like every other one.
      lines.once('close', () => resolve(''));
      io.signal.addEventListener('abort', () => reject(new Interrupted()), { once: true });
    });
  } finally {
    lines.close();
    io.stderr.write('\n');
  }
}

async function piped(io: Io): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of addAbortSignal(io.signal, io.stdin)) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > LONGEST_INPUT) {
      throw new RagdockError({ code: 'USAGE', message: `stdin holds more than ${LONGEST_INPUT / 1024} KiB` });
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
