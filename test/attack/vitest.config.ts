import { defineConfig } from 'vitest/config';

// Attacks that take a while, on real processes. They need PostgreSQL, and Python for schemathesis, which the first run installs.
export default defineConfig({
  test: {
    include: ['test/attack/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
