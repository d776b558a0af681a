import { expect, test } from 'vitest';
import { goDuration } from '../../../../constructs/engines/docker/duration.js';

/** What Go's `time.Duration.String()` prints for the same time. */
test.each([
  [0, '0s'],
  [0.0004, '0s'],
  [0.001, '1ms'],
  [0.5, '500ms'],
  [0.9996, '1s'],
  [1, '1s'],
  [1.5, '1.5s'],
  [10, '10s'],
  [59.9996, '1m0s'],
  [60, '1m0s'],
  [90, '1m30s'],
  [600, '10m0s'],
  [3600, '1h0m0s'],
  [3661, '1h1m1s'],
  [5400.25, '1h30m0.25s'],
  [86_400, '24h0m0s'],
])('%d seconds are %s', (seconds, text) => {
  expect(goDuration(seconds)).toBe(text);
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('%d is no duration', (seconds) => {
  expect(() => goDuration(seconds)).toThrow(RangeError);
});
