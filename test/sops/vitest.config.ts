import { defineConfig } from 'vitest/config';

// The real sops and real age keys. The first run builds them from their Go modules.
export default defineConfig({
  test: {
    include: ['test/sops/*.test.ts'],
    globalSetup: ['test/sops/support/global-setup.ts'],
    testTimeout: 60_000,
  },
});
