import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files tell one story, in the order of their names: what one leaves behind, the next one starts from. */
class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...files].sort((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
  }
}

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
