import { defineConfig } from 'vitest/config';
import { InOrder } from '../deploy/support/in-order.js';

export default defineConfig({
  test: {
    include: ['test/faults/*.test.ts'],
    globalSetup: ['test/deploy/support/global-setup.ts'],
    fileParallelism: false,
    sequence: { sequencer: InOrder },
    testTimeout: 900_000,
    hookTimeout: 1_800_000,
  },
});
