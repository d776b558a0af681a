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
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds until there is a token; 0 when there is one. */
  get waitMs(): number {
    this.#refill();
    return Math.max(0, (1 - this.#tokens) * this.refillMs);
  }

  /** Whether it is as it was made, and need not be remembered. */
  get isFull(): boolean {
    this.#refill();
    return this.#tokens >= this.burst;
  }

  #refill(): void {
    const now = this.now();
    this.#tokens = Math.min(this.burst, this.#tokens + (now - this.#countedAt) / this.refillMs);
    this.#countedAt = now;
  }
}
