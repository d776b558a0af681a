/** How long a value is remembered, in milliseconds; what has changed since is seen after this time. */
const REMEMBERED_MS = 2000;

/** Something that is read from files, at most once in two seconds unless somebody needs a newer one. */
export class Remembered<Value> {
  readonly #read: () => Promise<Value>;
  #value: Promise<Value> | undefined;
  #readAt = 0;

  constructor(read: () => Promise<Value>) {
    this.#read = read;
  }

  /** @param oldestMs greatest age of the value, in milliseconds. @default 2000 */
  current(oldestMs: number = REMEMBERED_MS): Promise<Value> {
    const now = performance.now();
    if (this.#value && now - this.#readAt < oldestMs) return this.#value;
    const fresh = this.#read();
    // A folder that cannot be read for a moment must not lock everybody out, nor be asked for each request.
    const remembered = this.#value;
    this.#value = remembered ? fresh.catch(() => remembered) : fresh;
    this.#readAt = now;
    if (!remembered) fresh.catch(() => (this.#value = undefined));
    return this.#value;
  }
}
