import { createHash, timingSafeEqual } from 'node:crypto';

/** How long keys are remembered, in milliseconds; a rotated key is valid, and an old one invalid, after this time. */
const REMEMBERED_MS = 2000;

/** Checks bearer keys against the versions that are valid at the moment. */
export class BearerKeys {
  readonly #read: () => Promise<readonly string[]>;
  #digests: Promise<readonly Buffer[]> | undefined;
  #readAt = 0;

  constructor(read: () => Promise<readonly string[]>) {
    this.#read = read;
  }

  /** Whether an Authorization header carries a valid key; takes as long whichever key is wrong, and wherever. */
  async accepts(header: string | undefined): Promise<boolean> {
    const presented = digest(/^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? '');
    let accepted = false;
    for (const known of await this.#current()) accepted = timingSafeEqual(presented, known) || accepted;
    return accepted;
  }

  #current(): Promise<readonly Buffer[]> {
    const now = performance.now();
    if (this.#digests && now - this.#readAt < REMEMBERED_MS) return this.#digests;
    const fresh = this.#read().then((keys) => keys.map(digest));
    // A folder that cannot be read for a moment must not lock everybody out, nor be asked for each request.
    const remembered = this.#digests;
    this.#digests = remembered ? fresh.catch(() => remembered) : fresh;
    this.#readAt = now;
    if (!remembered) fresh.catch(() => (this.#digests = undefined));
    return this.#digests;
  }
}

/** Digests have one length, which the comparison needs, and tell nothing of the key's own. */
function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
