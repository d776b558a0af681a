import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hasLowEntropy, isKnownDefault } from '../../src/secrets/guessable.js';
import { unsoundness } from '../../src/secrets/soundness.js';

describe('a default that everybody knows', () => {
  test.each([
    ...['admin', 'postgres', 'changeme', 'password', 'qwerty', 'secret', 'root', 'letmein'],
    ...['password1234567', 'password1234567890', 'Admin-Password-2024', 'changeme.changeme_1', 'P4ssw0rd12345678'],
    ...[
      'my-secret-password',
      'ChangeMe-In-Production',
      'qdrant-api-key-1',
      '0000admin0000',
      'postgres~postgres',
      'ADMINADMINADMIN1',
    ],
  ])('%s', (value) => expect(isKnownDefault(value)).toBe(true));

  test.each([
    ...['correct-horse-battery-staple', 'a-value-that-nobody-guesses', 'admin-Xq7', 'passwordless-otter-sings'],
    ...['1234567890123456', 'deadbeefdeadbeef', ''],
  ])('not %j', (value) => expect(isKnownDefault(value)).toBe(false));
});

describe('low entropy', () => {
  test.each([
    ...[
      'aaaaaaaaaaaaaaaa',
      'aaaaaaaaaaaaaaab',
      'abababababababab',
      '1234567890123456',
      '0123456789abcdef',
      '9876543210987654',
    ],
    ...['abcdefghijklmnopqrstuvwxyz', 'k7Qz-k7Qz-k7Qz-k7Qz', 'aaaabbbbccccddddeeeeffff', '0000000000000001'],
  ])('%s', (value) => expect(hasLowEntropy(value)).toBe(true));

  test.each(['k7Qzm2PwR4tXn9cd', 'correct.horse_battery~staple-9', 'one-value-for-everything'])('not %s', (value) =>
    expect(hasLowEntropy(value)).toBe(false),
  );
});

test('random values, as ragdock and openssl make them, pass', () => {
  for (let count = 0; count < 20_000; count++) {
    const bytes = randomBytes(32);
    for (const value of [bytes.toString('base64url'), bytes.toString('hex'), bytes.subarray(0, 16).toString('hex')]) {
      expect(unsoundness(value), value).toEqual([]);
    }
  }
});
