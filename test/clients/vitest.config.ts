import { defineConfig } from 'vitest/config';

// Clients that others wrote, unchanged, against the app. They need Python, for which the first run installs OpenAI's client.
export default defineConfig({
  test: {
    include: ['test/clients/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
});
