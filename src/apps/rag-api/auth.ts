import { createHash, timingSafeEqual } from 'node:crypto';

/** How long keys are remembered, in milliseconds; an old key is refused so long after its time at the latest. */
const REMEMBERED_MS = 2000;

/** An unknown key has the files read again at most so often, in milliseconds: it may be a new one. */
const LOOKED_FOR_MS = 200;

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
    return (
      isOneOf(presented, await this.#current(REMEMBERED_MS)) || isOneOf(presented, await this.#current(LOOKED_FOR_MS))
    );
  }

  #current(rememberedMs: number): Promise<readonly Buffer[]> {
    const now = performance.now();
    if (this.#digests && now - this.#readAt < rememberedMs) return this.#digests;
    const fresh = this.#read().then((keys) => keys.map(digest));
    // A folder that cannot be read for a moment must not lock everybody out, nor be asked for each request.
    const remembered = this.#digests;
    this.#digests = remembered ? fresh.catch(() => remembered) : fresh;
    this.#readAt = now;
    if (!remembered) fresh.catch(() => (this.#digests = undefined));
    return this.#digests;
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
