import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/ssh/*.test.ts'],
    globalSetup: ['test/ssh/global-setup.ts'],
    // After a failure the stack is in a state that nobody described.
    bail: 1,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
