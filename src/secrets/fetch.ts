import type { Problem } from '../errors/problem.js';
import { throwProblems } from '../errors/problem.js';
import { repeated } from './check.js';
import { fingerprint, matches } from './fingerprint.js';
import type { KnownSecret } from './inventory.js';
import { unsoundness } from './soundness.js';
import type { SecretStore } from './store.js';

/**
 * Everything that is wrong with values that came from elsewhere: not the promised ones, guessable, or shared. No
 * problem holds a part of a value.
 *
 * @param values by the names of secrets
 */
export function checkFetched(secrets: readonly KnownSecret[], values: ReadonlyMap<string, string>): readonly Problem[] {
  const fetched = secrets.flatMap(({ file: _file, ...secret }) => {
    const value = values.get(secret.name);
    return value === undefined ? [] : [{ ...secret, value }];
  });
  return [
    ...fetched.flatMap(({ name, version, value, fingerprint: known }): readonly Problem[] => [
      ...(known === undefined || matches(value, known) ? [] : [otherValue(name, version)]),
      ...unsoundness(value).map((fault) => ({ code: 'SECRET_UNSAFE' as const, path: name, ...fault })),
    ]),
    ...repeated(fetched),
  ];
}

function otherValue(name: string, version: number): Problem {
  return {
    code: 'SECRET_MISMATCH',
    path: name,
    message: `the value that the command gives for ${name} (version ${version}) has another fingerprint than the lock file says`,
    remedy: 'Put the promised value back where the command reads it; another one would lock the running services out.',
  };
}

/** Secrets whose value nobody has promised: whatever came would be taken. */
export function checkPromised(secrets: readonly KnownSecret[], environment: string): readonly Problem[] {
  return secrets
    .filter((secret) => secret.fingerprint === undefined)
    .map(({ name, version }) => ({
      code: 'SECRET_UNPROMISED',
      path: name,
      message: `the lock file has no fingerprint of ${name} (version ${version})`,
      remedy: `Run \`ragdock secrets init ${environment}\` once, where its values are known to be right, and commit the lock file.`,
    }));
}

/**
 * Put fetched values where Terraform reads them. Nothing is written unless every secret has a value that may be used.
 *
 * @param problems what went wrong before there were values
 * @returns fingerprints of the values that the lock file does not know, by name
 * @throws RagdockError SECRET_COMMAND_FAILED, SECRET_MISMATCH, SECRET_UNSAFE for all secrets at once
 */
export function keepFetched(
  secrets: readonly KnownSecret[],
  { values, problems }: { readonly values: ReadonlyMap<string, string>; readonly problems: readonly Problem[] },
  store: SecretStore,
): ReadonlyMap<string, string> {
  throwProblems([...problems, ...checkFetched(secrets, values)]);
  const fingerprints = new Map<string, string>();
  for (const { name, version, fingerprint: known } of secrets) {
    const value = values.get(name);
    if (value === undefined) throw new Error(`there is neither a value of ${name} nor a problem`);
    store.write(name, version, value, true);
    if (known === undefined) fingerprints.set(name, fingerprint(value));
  }
  return fingerprints;
}
