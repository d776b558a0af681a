import { defineConfig } from 'vitest/config';
import { InOrder } from './support/in-order.js';

export default defineConfig({
  test: {
    include: ['test/deploy/*.test.ts'],
    globalSetup: ['test/deploy/support/global-setup.ts'],
    fileParallelism: false,
    sequence: { sequencer: InOrder },
    // After a failure the stack is in a state that nobody described.
    bail: 1,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
