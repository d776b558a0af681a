/** Lets `burst` calls through at once and one more per `refillMs`; what is not used is saved up to `burst`. */
export class TokenBucket {
  #tokens: number;
  #countedAt: number;

  constructor(
    private readonly burst: number,
    private readonly refillMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#tokens = burst;
    this.#countedAt = now();
  }

  /** Take one token; false when there is none. */
  take(): boolean {
    const now = this.now();
    this.#tokens = Math.min(this.burst, this.#tokens + (now - this.#countedAt) / this.refillMs);
    this.#countedAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
