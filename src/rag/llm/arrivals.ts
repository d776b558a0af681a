import type { Readable } from 'node:stream';

/** Bytes that may wait for a slow reader before the sender is made to wait. */
const MOST_WAITING = 65_536;

/**
 * The body of a response as it arrives. Whoever comes for more gets all that has come since, so that a reader that is
 * late, or a machine that is busy, costs fewer steps and not more. Reading a stream by `for await` costs several
 * microtasks, an event and a tick for each piece, which is most of the price of a token.
 */
export class Arrivals {
  readonly #body: Readable;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #over: { readonly error?: Error } | undefined;
  #wake: (() => void) | undefined;

  constructor(body: Readable) {
    this.#body = body;
    body.on('data', (piece: Uint8Array) => {
      this.#pieces.push(piece);
      this.#bytes += piece.length;
      if (this.#bytes >= MOST_WAITING) body.pause();
      this.#wake?.();
    });
    const over = (error?: Error) => {
      this.#over ??= error ? { error } : {};
      this.#wake?.();
    };
    body.once('end', over);
    // Stays: a body that nobody reads any more may fail once more.
    body.on('error', over);
    body.once('close', () => {
      if (!this.#over) over(new Error('the body was closed before its end'));
    });
  }

  /** All that has come; undefined when the body has ended. Rejects, once what had come was taken, when it broke. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#pieces.length === 0 && !this.#over) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    const [first, ...more] = this.#pieces;
    if (!first && this.#over?.error) throw this.#over.error;
    this.#pieces = [];
    if (this.#bytes >= MOST_WAITING) this.#body.resume();
    this.#bytes = 0;
    return first && more.length > 0 ? Buffer.concat([first, ...more]) : first;
  }

  /** Lets the rest of the body come and forgets it; resolves when it has ended or broken. */
  async drain(): Promise<void> {
    while (!this.#over) await this.next();
  }
}
