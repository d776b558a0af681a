#!/usr/bin/env node
import { constants } from 'node:os';
import { processIo } from './io.js';
import { INTERRUPTED, run } from './run.js';

/** npm passes on the Ctrl-C that the terminal has sent to both: a signal within this time is the first one once more. */
const ECHO_MS = 500;

/** How often it is looked whether npm's shell, which dies of a signal that it does not pass on, is still there. */
const PARENT_MS = 500;

type Ending = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE';

const interrupt = new AbortController();
let received: { readonly ending: Ending; readonly at: number } | undefined;

/** The first signal lets a command clean up behind itself; a later one does not wait for it. */
function end(ending: Ending): void {
  if (!received) {
    received = { ending, at: performance.now() };
    // The last words of a command that has done its work may be those that nobody read.
    process.exitCode = exitCodeOf(ending);
    interrupt.abort();
  } else if (performance.now() - received.at > ECHO_MS) {
    process.exit(exitCodeOf(received.ending));
  }
}

// Ctrl-C, a supervisor, a terminal that is closed.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(signal));

if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end('SIGTERM');
  }, PARENT_MS).unref();
}

// Whoever reads the output stopped reading (`| head`), the terminal is gone, or the disk behind a file is full: nobody is
// told the rest, and it must not look as if there had been none.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE' && code !== 'EIO' && stream === process.stdout && !received) {
      process.stderr.write(`the output cannot be written: ${message}\n`);
    }
    end(code === 'EIO' ? 'SIGHUP' : 'SIGPIPE');
  });
}

const exitCode = await run(process.argv.slice(2), processIo(interrupt.signal));
// Interrupted or not, a command that has failed by itself says how.
if (!received || (exitCode !== 0 && exitCode !== INTERRUPTED)) process.exitCode = exitCode;

/** 128 and the number of the signal, as shells have it. */
function exitCodeOf(ending: Ending): number {
  return 128 + constants.signals[ending];
}
