/** A job cannot do what it is for. The message is one line that says what is wrong and what to do. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
}

/** Where a job says what it does: one line each. */
export type Report = (line: string) => void;
