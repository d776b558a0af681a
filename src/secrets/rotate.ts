import type { Problem } from '../errors/problem.js';
import { RagdockError, throwProblems } from '../errors/problem.js';
import { fingerprint, matches } from './fingerprint.js';
import { generateSecret } from './init.js';
import type { KnownSecret } from './inventory.js';
import { unsoundness } from './soundness.js';
import type { SecretStore } from './store.js';

/** What a run did to the store. */
export interface Rotated {
  /** The version that the lock file has to promise. */
  readonly version: number;
  readonly fingerprint: string;
  /** `adopted`: the value was there already, from a run that was cut off. */
  readonly origin: 'made' | 'adopted' | 'given';
}

/**
 * Put the value of a secret's next version into the store. It comes first and the lock file after it, so that a run that
 * was cut off is completed by the next one, which finds the value and adopts it.
 *
 * @param value gives the value of a secret that cannot be made up; asked for only where none is stored
 * @throws RagdockError SECRET_UNSAFE for a value that no secret may have, SECRET_NOT_NEW for that of the version before
 */
export async function rotateSecret(
  secret: KnownSecret,
  store: SecretStore,
  value?: () => Promise<string>,
): Promise<Rotated> {
  const { name } = secret;
  const version = secret.version + 1;
  let origin: Rotated['origin'] = 'adopted';
  if (store.read(name, version) === undefined) {
    const next = value === undefined ? generateSecret() : await value();
    throwProblems(faults(secret, next));
    if (store.write(name, version, next)) origin = value === undefined ? 'made' : 'given';
  }
  // What counts is what is stored: another run may have been quicker.
  const stored = store.read(name, version);
  if (stored === undefined) throw new Error(`the value of ${name} is gone right after it was stored`);
  throwProblems(faults(secret, stored));
  return { version, fingerprint: fingerprint(stored), origin };
}

/** What keeps a value from being that of the next version. No problem holds a part of it. */
function faults(secret: KnownSecret, value: string): readonly Problem[] {
  const { name, version, value: old, fingerprint: known } = secret;
  const same = value === old || (known !== undefined && matches(value, known));
  return [
    ...unsoundness(value).map((fault) => ({ code: 'SECRET_UNSAFE' as const, path: name, ...fault })),
    ...(same
      ? [
          {
            code: 'SECRET_NOT_NEW' as const,
            path: name,
            message: `the value for version ${version + 1} of ${name} is that of version ${version}`,
          },
        ]
      : []),
  ];
}

/**
 * Forget versions that no deployment can need after this rotation: the one before the new version is in force until the
 * next deploy is through, and those before it were replaced by an earlier one.
 *
 * @param version the new one
 * @returns the versions that were removed
 */
export function removeOutdated(name: string, version: number, store: SecretStore): readonly number[] {
  const outdated = store.list().filter((stored) => stored.name === name && stored.version < version - 1);
  for (const stored of outdated) store.remove(name, stored.version);
  return outdated.map((stored) => stored.version);
}

/** Refuse to rotate what must keep its value. */
export function requireRotatable(name: string, loses: string | undefined): void {
  if (loses === undefined) return;
  throw new RagdockError({ code: 'SECRET_KEEPS_DATA', path: name, message: `${name} stays as it is: ${loses}` });
}
