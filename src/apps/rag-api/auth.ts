import { createHash, timingSafeEqual } from 'node:crypto';
import { Remembered } from '../remembered.js';

/** An unknown key has the files read again at most so often, in milliseconds: it may be a new one. */
const LOOKED_FOR_MS = 200;

/** Checks bearer keys against the versions that are valid at the moment, which are read at most once in two seconds. */
export class BearerKeys {
  readonly #digests: Remembered<readonly Buffer[]>;

  constructor(read: () => Promise<readonly string[]>) {
    this.#digests = new Remembered(async () => (await read()).map(digest));
  }

  /** Whether an Authorization header carries a valid key; takes as long whichever key is wrong, and wherever. */
  async accepts(header: string | undefined): Promise<boolean> {
    const presented = digest(/^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? '');
    return (
      isOneOf(presented, await this.#digests.current()) ||
      isOneOf(presented, await this.#digests.current(LOOKED_FOR_MS))
    );
  }
}

function isOneOf(presented: Buffer, keys: readonly Buffer[]): boolean {
  let found = false;
  for (const known of keys) found = timingSafeEqual(presented, known) || found;
  return found;
}

/** Digests have one length, which the comparison needs, and tell nothing of the key's own. */
function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
