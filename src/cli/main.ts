#!/usr/bin/env node
import { constants } from 'node:os';
import { processIo } from './io.js';
import { INTERRUPTED, run } from './run.js';

const interrupt = new AbortController();
let received: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | undefined;

// The first signal (Ctrl-C, a supervisor, a terminal that is closed) lets a command clean up behind itself; the second
// one does not wait for it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (received) process.exit(exitCodeOf(received));
    received = signal;
    interrupt.abort();
  });
}

// Whoever reads the output may stop reading (`| head`), and a terminal may go: that is no fault, and there is nobody
// left to tell.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    // What was asked to end goes on ending without a reader.
    if (!received) process.exit();
  });
}

const exitCode = await run(process.argv.slice(2), processIo(interrupt.signal));
process.exitCode = exitCode === INTERRUPTED && received ? exitCodeOf(received) : exitCode;

/** 128 and the number of the signal, as shells have it. */
function exitCodeOf(signal: NonNullable<typeof received>): number {
  return 128 + constants.signals[signal];
}
