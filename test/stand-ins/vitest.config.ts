import { defineConfig } from 'vitest/config';

// The stand-ins need Python; the first run makes their virtual environments, which takes a package index.
export default defineConfig({
  test: {
    include: ['test/stand-ins/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
});
