import type { FailureCode } from '../errors/catalogue.js';
import type { Problem } from '../errors/problem.js';

/** A document that cannot be read, or a line of it. Which file it is is known further up. */
export class DocumentFault extends Error {
  override readonly name = 'DocumentFault';

  constructor(
    readonly code: FailureCode,
    message: string,
    /** @default - the remedy of the code in the catalogue */
    readonly remedy?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get problem(): Problem {
    return { code: this.code, message: this.message, remedy: this.remedy };
  }
}

export function tooLarge(what: string, size: number | string, limit: number, remedy?: string): DocumentFault {
  return new DocumentFault('DOCUMENT_TOO_LARGE', `${what} has ${size} bytes; it may have ${limit}`, remedy);
}
