/** A mean over questions, and where it would lie for other questions of the same kind. */
export interface Estimate {
  readonly value: number;
  /** Ends of the 95 % interval. */
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2000;
const TAIL = 0.025;

/**
 * The mean of values with its 95 % interval by percentile bootstrap (Efron): the same values in the same order give the
 * same interval on every machine. Throws when there is no value.
 */
export function estimate(values: readonly number[]): Estimate {
  if (values.length === 0) throw new Error('there is nothing to take the mean of');
  const random = xorshift32(SEED);
  const means = Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let draw = 0; draw < values.length; draw += 1) sum += values[Math.floor(random() * values.length)] ?? 0;
    return sum / values.length;
  }).sort((a, b) => a - b);
  const value = values.reduce((sum, one) => sum + one, 0) / values.length;
  return { value, low: quantile(means, TAIL), high: quantile(means, 1 - TAIL) };
}

/** Any number but 0 would do, as long as it stays. */
const SEED = 20_261_122;

/** Between two neighbours in a straight line, as R's type 7. */
export function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const [low = Number.NaN, high = low] = sorted.slice(below, below + 2);
  return low + (high - low) * (place - below);
}

/** Marsaglia's xorshift with 32 bits of state: numbers from 0 up to 1, the same ones on every machine. */
export function xorshift32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
