import { TokenBucket } from './token-bucket.js';

/** Clients after which those that have used nothing lately are forgotten. */
const REMEMBERED = 1000;

/** So many calls of each client in a minute, all at once if it likes. */
export class RateLimit {
  readonly #buckets = new Map<string, TokenBucket>();
  #sweepAt = REMEMBERED;

  constructor(
    private readonly perMinute: number,
    private readonly now?: () => number,
  ) {}

  /** Count one call; gives the milliseconds after which another one will be let through, 0 when this one is. */
  take(client: string): number {
    let bucket = this.#buckets.get(client);
    if (!bucket) {
      if (this.#buckets.size >= this.#sweepAt) this.#sweep();
      bucket = new TokenBucket(this.perMinute, 60_000 / this.perMinute, this.now);
      this.#buckets.set(client, bucket);
    }
    return bucket.take() ? 0 : Math.max(1, bucket.waitMs);
  }

  /** How many clients are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Costs as much as it keeps, so the next one waits until there are twice as many. */
  #sweep(): void {
    for (const [client, bucket] of this.#buckets) if (bucket.isFull) this.#buckets.delete(client);
    this.#sweepAt = Math.max(REMEMBERED, this.#buckets.size * 2);
  }
}
