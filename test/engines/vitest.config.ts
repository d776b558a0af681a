import { defineConfig } from 'vitest/config';

// Run by test/host/newest-engine, beside the engine that it has started.
export default defineConfig({
  test: {
    include: ['test/engines/*.test.ts'],
    globalSetup: ['test/engines/support/global-setup.ts'],
    fileParallelism: false,
    // After a failure the stack is in a state that nobody described.
    bail: 1,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
