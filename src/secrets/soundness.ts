import { hasLowEntropy, isKnownDefault } from './guessable.js';

/** Fewest characters of a secret. A generated one has 43. */
export const SHORTEST = 16;

/** Characters of every secret, whoever makes it: base64url and the two others that a URL leaves as they are. */
export const ALPHABET = /^[A-Za-z0-9._~-]*$/;

/**
 * What is wrong with a value, whoever it is for. No message holds a part of the value.
 *
 * Only characters pass that mean themselves everywhere a secret is put: in URLs, in connection strings of libpq, in
 * headers and in shells.
 */
export function unsoundness(value: string): readonly { readonly message: string; readonly remedy: string }[] {
  if (value === '') {
    return [{ message: 'the value is empty, which many services take for "no password needed"', remedy: GENERATE }];
  }
  const faults = [];
  const trimmed = value.trim();
  if (trimmed !== value) {
    faults.push({
      message: 'the value starts or ends with white space or a newline, which some readers drop and some do not',
      remedy: "Store it without: `printf '%s' VALUE | ragdock secrets set ENV NAME`, not `echo`.",
    });
  }
  if (trimmed.length < SHORTEST) {
    faults.push({ message: `the value has fewer than ${SHORTEST} characters, so it can be guessed`, remedy: GENERATE });
  }
  if (isKnownDefault(trimmed)) {
    faults.push({ message: 'the value is a default that everybody tries first', remedy: GENERATE });
  } else if (trimmed.length >= SHORTEST && hasLowEntropy(trimmed)) {
    faults.push({
      message: 'the value repeats a few characters, or counts them up, so it can be guessed',
      remedy: GENERATE,
    });
  }
  if (!ALPHABET.test(trimmed)) {
    faults.push({
      message: 'the value holds characters that mean something in URLs or connection strings',
      remedy: 'Use letters, digits and - . _ ~ only; `openssl rand -hex 32` gives such a value.',
    });
  }
  return faults;
}

const GENERATE =
  '`openssl rand -hex 32` gives a strong one; where there is no file, `ragdock secrets init ENV` makes one.';
