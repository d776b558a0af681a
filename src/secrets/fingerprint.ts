import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Bytes of salt. Equal values in two environments must not show by equal fingerprints. */
const SALT_BYTES = 8;

/**
 * A value's fingerprint as the lock file keeps it: `sha256:<salt>:<hash>`, the hash over the salt's bytes and the
 * value's. It tells whether a stored value is the promised one. It hides only values that nobody can guess, so short
 * ones are refused before they get here.
 */
export function fingerprint(value: string, salt: Buffer = randomBytes(SALT_BYTES)): string {
  return `sha256:${salt.toString('hex')}:${digest(value, salt).toString('hex')}`;
}

/** Whether `value` is the one that was fingerprinted. */
export function matches(value: string, known: string): boolean {
  const [, salt = '', hash = ''] = known.split(':');
  const given = digest(value, Buffer.from(salt, 'hex'));
  const expected = Buffer.from(hash, 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function digest(value: string, salt: Buffer): Buffer {
  return createHash('sha256').update(salt).update(value, 'utf8').digest();
}
