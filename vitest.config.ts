import { defineConfig } from 'vitest/config';

// What needs Node alone. What needs a Docker engine, Python or a package registry has a configuration of its own beside its tests.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      'test/attack/**',
      'test/clients/**',
      'test/deploy/**',
      'test/drills/**',
      'test/engines/**',
      'test/faults/**',
      'test/ssh/**',
      'test/sops/**',
      'test/package/**',
      'test/stand-ins/**',
      'node_modules/**',
    ],
    testTimeout: 30_000,
    // Much of the time is waiting, for other processes above all: a core left idle would double it on a machine with two.
    maxWorkers: '100%',
  },
});
