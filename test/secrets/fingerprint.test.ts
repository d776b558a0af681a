import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { LockSchema } from '../../config/lock-schema.js';
import { fingerprint, matches } from '../../src/secrets/fingerprint.js';

const VALUE = 'correct-horse-battery-staple';

test('is the SHA-256 over salt and value, as the lock file takes it', () => {
  const salt = Buffer.from('0123456789abcdef', 'hex');
  const hash = createHash('sha256')
    .update(Buffer.concat([salt, Buffer.from(VALUE)]))
    .digest('hex');
  expect(fingerprint(VALUE, salt)).toBe(`sha256:0123456789abcdef:${hash}`);
  expect(
    LockSchema.unwrap().shape.secrets.safeParse({ x: { version: 1, fingerprint: fingerprint(VALUE) } }).success,
  ).toBe(true);
});

test('differs each time, and matches its value alone', () => {
  const [one, two] = [fingerprint(VALUE), fingerprint(VALUE)];
  expect(one).not.toBe(two);
  for (const known of [one, two]) {
    expect(matches(VALUE, known)).toBe(true);
    expect(matches(`${VALUE}\n`, known)).toBe(false);
    expect(matches('', known)).toBe(false);
  }
});
