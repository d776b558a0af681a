import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { matchesVerifier, scramVerifier } from '../../../src/apps/jobs/scram.js';

/** The exchange of RFC 7677, section 3: user "user", password "pencil". */
const RFC = {
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  message: [
    'n=user,r=rOprNGfwEbeRWgbNEkqO',
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  ].join(','),
  proof: Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64'),
  signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest();

describe('scramVerifier', () => {
  test('holds the keys of the exchange in RFC 7677', () => {
    const verifier = scramVerifier('pencil', RFC.salt, 4096);
    const [, stored = '', server = ''] =
      /^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$(.+):(.+)$/.exec(verifier) ?? [];
    const storedKey = Buffer.from(stored, 'base64');
    expect(hmac(Buffer.from(server, 'base64'), RFC.message).toString('base64')).toBe(RFC.signature);
    // The proof is the client's key, masked; the stored key is the hash of that key.
    const mask = hmac(storedKey, RFC.message);
    const clientKey = Buffer.from(RFC.proof.map((byte, index) => byte ^ (mask[index] ?? 0)));
    expect(createHash('sha256').update(clientKey).digest()).toEqual(storedKey);
  });

  test('has another salt each time, and does not hold the password', () => {
    const one = scramVerifier('correct horse');
    expect(one).not.toBe(scramVerifier('correct horse'));
    expect(one).not.toContain('correct horse');
  });

  test.each(['пароль', 'tab\there', 'nul\0', ''])('refuses what PostgreSQL would rewrite: %j', (password) => {
    expect(() => scramVerifier(password)).toThrow('printable ASCII');
  });
});

describe('matchesVerifier', () => {
  test('tells the password of a verifier from another one', () => {
    const verifier = scramVerifier('secret');
    expect(matchesVerifier('secret', verifier)).toBe(true);
    expect(matchesVerifier('secret2', verifier)).toBe(false);
  });

  test.each([null, '', 'md5d8578edf8458ce06fbc5bb76a58c5ca4', 'SCRAM-SHA-256$4096:x'])(
    'is false for %j',
    (verifier) => {
      expect(matchesVerifier('secret', verifier)).toBe(false);
    },
  );
});
