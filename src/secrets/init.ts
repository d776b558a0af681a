import { randomBytes } from 'node:crypto';
import { type Problem, throwProblems } from '../errors/problem.js';
import { knownToLock, mismatch } from './check.js';
import { fingerprint, matches } from './fingerprint.js';
import type { KnownSecret } from './inventory.js';
import { unsoundness } from './soundness.js';
import type { SecretStore } from './store.js';

/** Random bytes of a generated secret; as base64url they are 43 characters. */
const GENERATED_BYTES = 32;

/** What a run did. */
export interface Initialised {
  /** Names of the secrets that got a new value. */
  readonly made: readonly string[];
  /** Names of the secrets whose value was there, unknown to the lock file. */
  readonly adopted: readonly string[];
  /** Names of the secrets without a value that nobody here can make. */
  readonly missing: readonly string[];
  /** New fingerprints for the lock file, by name. */
  readonly fingerprints: ReadonlyMap<string, string>;
}

/** A strong value: 256 random bits in characters that are safe everywhere. */
export const generateSecret = (): string => randomBytes(GENERATED_BYTES).toString('base64url');

/**
 * Give every secret a value that has none yet. Values come first and the caller writes the fingerprints after them, so
 * that an interrupted run is completed by the next one: it finds the values and adopts them.
 *
 * @param given names of the secrets that somebody else made; they are adopted, and never made
 * @throws RagdockError SECRET_KNOWN_TO_LOCK, SECRET_MISMATCH, SECRET_UNSAFE for all secrets at once, before anything is written
 */
export function initSecrets(
  secrets: readonly KnownSecret[],
  store: SecretStore,
  given: ReadonlySet<string> = new Set(),
): Initialised {
  throwProblems(secrets.flatMap(refusal));
  const made: string[] = [];
  const adopted: string[] = [];
  const missing: string[] = [];
  const fingerprints = new Map<string, string>();
  for (const { name, version, fingerprint: known, value } of secrets) {
    if (known !== undefined) continue;
    if (given.has(name) && value === undefined) {
      missing.push(name);
      continue;
    }
    const isNew = !given.has(name) && store.write(name, version, generateSecret());
    (isNew ? made : adopted).push(name);
    // What counts is what is stored: another run may have been quicker.
    const stored = store.read(name, version);
    if (stored === undefined) throw new Error(`the value of ${name} is gone right after it was stored`);
    fingerprints.set(name, fingerprint(stored));
  }
  return { made, adopted, missing, fingerprints };
}

function refusal(secret: KnownSecret): readonly Problem[] {
  const { name, value, fingerprint: known, file } = secret;
  if (value === undefined) return known === undefined ? [] : [knownToLock(secret)];
  if (known !== undefined) return matches(value, known) ? [] : [mismatch(secret)];
  return unsoundness(value).map((fault) => ({ code: 'SECRET_UNSAFE', file, path: name, ...fault }));
}
