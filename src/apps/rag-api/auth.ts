import { createHash, timingSafeEqual } from 'node:crypto';
import { Remembered } from '../remembered.js';

/** Checks bearer keys against the versions that are valid at the moment, which are read at most once in two seconds. */
export class BearerKeys {
  readonly #digests: Remembered<readonly Buffer[]>;

  constructor(read: () => Promise<readonly string[]>) {
    this.#digests = new Remembered(async () => (await read()).map(digest));
  }

  /** Whether an Authorization header carries a valid key; takes as long whichever key is wrong, and wherever. */
  async accepts(header: string | undefined): Promise<boolean> {
    const presented = digest(/^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? '');
    let accepted = false;
    for (const known of await this.#digests.current()) accepted = timingSafeEqual(presented, known) || accepted;
    return accepted;
  }
}

/** Digests have one length, which the comparison needs, and tell nothing of the key's own. */
function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
