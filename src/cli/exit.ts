import type { Failure } from '../errors/catalogue.js';

/** Ends a command that has told everything itself, as data for instance, with an exit code other than 0. */
export class Exit extends Error {
  override readonly name = 'Exit';

  constructor(readonly exitCode: Failure['exit']) {
    super(`exit code ${exitCode}`);
  }
}

/** Ends a command whose user pressed Ctrl-C where no signal comes of it: while keys are read one by one. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
