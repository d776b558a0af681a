import { defineConfig } from 'vitest/config';

// The package as others get it: packed once, then installed in empty folders, which takes a package registry.
export default defineConfig({
  test: {
    include: ['test/package/**/*.test.ts'],
    globalSetup: 'test/package/support/global-setup.ts',
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
});
