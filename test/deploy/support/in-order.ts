import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files tell one story, in the order of their names: what one leaves behind, the next one starts from. */
export class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...files].sort((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
  }
}
