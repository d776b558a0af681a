#!/usr/bin/env node
import { processIo } from './io.js';
import { INTERRUPTED, run } from './run.js';

const interrupt = new AbortController();

// The first Ctrl-C lets a command clean up behind itself; the second one does not wait for it.
process.once('SIGINT', () => {
  interrupt.abort();
  process.once('SIGINT', () => process.exit(INTERRUPTED));
});

// Whoever reads the output may stop reading (`| head`): that is no fault, and there is nobody left to tell.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

process.exitCode = await run(process.argv.slice(2), processIo(interrupt.signal));
