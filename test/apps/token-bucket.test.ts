import { expect, test } from 'vitest';
import { TokenBucket } from '../../src/apps/token-bucket.js';

test('lets a burst through, then one more per interval, and saves up no more than the burst', () => {
  let now = 0;
  const bucket = new TokenBucket(2, 1000, () => now);
  const take = (times: number) => Array.from({ length: times }, () => bucket.take());

  expect(take(3)).toEqual([true, true, false]);
  now = 999;
  expect(take(1)).toEqual([false]);
  now = 1000;
  expect(take(2)).toEqual([true, false]);
  now = 60_000;
  expect(take(3)).toEqual([true, true, false]);
});
