import { nearest } from '../errors/nearest.js';
import { RagdockError, throwProblems } from '../errors/problem.js';
import { fingerprint, matches } from './fingerprint.js';
import type { KnownSecret } from './inventory.js';
import { unsoundness } from './soundness.js';
import type { SecretStore } from './store.js';

/** The secret of this name. */
export function findSecret(secrets: readonly KnownSecret[], name: string): KnownSecret {
  const secret = secrets.find((candidate) => candidate.name === name);
  if (secret) return secret;
  const names = secrets.map((candidate) => candidate.name);
  const meant = nearest(name, names);
  const remedy = meant ? `Did you mean \`${meant}\`?` : `Known: ${names.join(', ') || 'none'}.`;
  throw new RagdockError({
    code: 'SECRET_UNKNOWN',
    message: `there is no secret '${name}' in this environment`,
    remedy,
  });
}

/**
 * Store the value of one secret.
 *
 * @param replace whether the value takes the place of another that is stored or promised
 * @returns the fingerprint that the lock file has to remember; undefined when it knows the value
 * @throws RagdockError SECRET_UNSAFE for a value that no secret may have, SECRET_MISMATCH for one that is not promised,
 * SECRET_IN_PLACE for another than the stored one
 */
export function setSecret(
  secret: KnownSecret,
  value: string,
  store: SecretStore,
  replace: boolean,
): string | undefined {
  const { name, version, fingerprint: known } = secret;
  throwProblems(unsoundness(value).map((fault) => ({ code: 'SECRET_UNSAFE', path: name, ...fault })));
  const isKnown = known !== undefined && matches(value, known);
  if (known !== undefined && !isKnown && !replace) {
    throw new RagdockError({
      code: 'SECRET_MISMATCH',
      path: name,
      message: `the value given is not the one whose fingerprint the lock file has for ${name} (version ${version})`,
      remedy:
        'Give the value that the lock file knows, from the machine that has it. `--replace` where that one is wrong: the lock file gets the new fingerprint, and everybody else the new value.',
    });
  }
  const stored = store.read(name, version);
  if (known === undefined && stored !== undefined && stored !== value && !replace) {
    throw new RagdockError({
      code: 'SECRET_IN_PLACE',
      path: name,
      message: `version ${version} of ${name} has another value already`,
    });
  }
  // The lock file decides which value is right, so a wrong one in the store is replaced.
  store.write(name, version, value, true);
  return isKnown ? undefined : fingerprint(value);
}
