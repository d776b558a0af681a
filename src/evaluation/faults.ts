import { type Problem, RagdockError } from '../errors/problem.js';

/** Faults that are told one by one; a file of the wrong kind has as many as lines. */
const MOST_TOLD = 50;

/** Collects what is wrong with a judged set, to tell all of it at once. */
export class Faults {
  readonly #told: Problem[] = [];
  #more = 0;

  /** @param line from 1 on; undefined for a fault of the whole file */
  add(file: string, line: number | undefined, message: string, remedy?: string): void {
    if (this.#told.length >= MOST_TOLD) this.#more += 1;
    else this.#told.push({ code: 'JUDGED_SET_INVALID', file, line, message, remedy });
  }

  /** A file that is not there, or may not be read. */
  addUnreadable(file: string, cause: unknown): void {
    this.#told.push({ code: 'FILE_UNREADABLE', file, message: (cause as Error).message });
  }

  /** Throws RagdockError when there are any. */
  throw(): void {
    const [first, ...rest] = this.#told;
    if (!first) return;
    const more = this.#more === 0 ? [] : [{ code: first.code, message: `and ${this.#more} more of their kind` }];
    throw new RagdockError([first, ...rest, ...more]);
  }
}
