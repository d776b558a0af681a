import { lstatSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Problem } from '../errors/problem.js';
import { matches } from './fingerprint.js';
import type { KnownSecret } from './inventory.js';
import { unsoundness } from './soundness.js';

/**
 * Everything that is wrong with stored secrets: missing, not the promised value, guessable, shared, or readable to
 * others. No problem holds a part of a value.
 */
export function checkSecrets(secrets: readonly KnownSecret[], cwd: string): readonly Problem[] {
  const stored = secrets.filter(({ value }) => value !== undefined);
  return [
    ...secrets.flatMap((secret) => [...checkOne(secret), ...(secret.value === undefined ? [] : openFile(secret, cwd))]),
    ...repeated(secrets),
    ...openFolders(stored, cwd),
  ];
}

/** The same for values that lie in no files of their own. */
export function checkValues(secrets: readonly KnownSecret[]): readonly Problem[] {
  return [...secrets.flatMap(checkOne), ...repeated(secrets)];
}

function checkOne(secret: KnownSecret): readonly Problem[] {
  const { name, version, value, fingerprint, file } = secret;
  if (value === undefined) {
    const message = `the store holds no value for ${name} (version ${version})`;
    return fingerprint === undefined ? [{ code: 'SECRET_MISSING', file, path: name, message }] : [knownToLock(secret)];
  }
  const unsafe = unsoundness(value).map((fault) => ({ code: 'SECRET_UNSAFE', file, path: name, ...fault }) as const);
  return [...(fingerprint === undefined || matches(value, fingerprint) ? [] : [mismatch(secret)]), ...unsafe];
}

/** The value exists somewhere, and it is not here. */
export function knownToLock({ name, version, file }: KnownSecret): Problem {
  const message = `the lock file has the fingerprint of ${name} (version ${version}), and the store has no value`;
  return { code: 'SECRET_KNOWN_TO_LOCK', file, path: name, message };
}

/** There is a value, and it is another one. */
export function mismatch({ name, version, file }: KnownSecret): Problem {
  const message = `the stored value of ${name} (version ${version}) has another fingerprint than the lock file says`;
  return { code: 'SECRET_MISMATCH', file, path: name, message };
}

/** Secrets that have the value of another one. */
export function repeated(
  secrets: readonly (Pick<KnownSecret, 'name' | 'value'> & { readonly file?: string })[],
): readonly Problem[] {
  const owners = new Map<string, string>();
  return secrets.flatMap(({ name, value, file }): Problem[] => {
    if (value === undefined || value === '') return [];
    const first = owners.get(value);
    owners.set(value, first ?? name);
    if (first === undefined) return [];
    const message = `${name} has the same value as ${first}, so whoever learns one has both`;
    const remedy = 'Give one of them a value of its own.';
    return [{ code: 'SECRET_UNSAFE', file, path: name, message, remedy }];
  });
}

function openFile({ name, file }: KnownSecret, cwd: string): readonly Problem[] {
  const status = lstatSync(join(cwd, file));
  if (!status.isFile()) {
    const remedy = 'Put the value itself there: `ragdock secrets set --replace`.';
    return [{ code: 'SECRET_UNSAFE', file, path: name, message: 'is no regular file', remedy }];
  }
  return openMode(status.mode, file, '600', name);
}

/** Folders of the files, the folder of all environments, and files of other versions that lie beside them. */
function openFolders(stored: readonly KnownSecret[], cwd: string): readonly Problem[] {
  const files = new Set(stored.map(({ file }) => file));
  const folders = [...new Set(stored.map(({ file }) => dirname(file)))];
  return [
    ...folders.flatMap((folder) =>
      readdirSync(join(cwd, folder), { withFileTypes: true })
        .filter((entry) => entry.isFile() && !files.has(join(folder, entry.name)))
        .flatMap(({ name }) => openMode(lstatSync(join(cwd, folder, name)).mode, join(folder, name), '600')),
    ),
    ...[...new Set(folders.flatMap((folder) => [folder, dirname(folder)]))].flatMap((folder) =>
      openMode(lstatSync(join(cwd, folder)).mode, folder, '700'),
    ),
  ];
}

function openMode(mode: number, file: string, wanted: string, path?: string): readonly Problem[] {
  if ((mode & 0o077) === 0) return [];
  const message = `others may read or change it: its mode is 0${(mode & 0o777).toString(8)}`;
  return [{ code: 'SECRET_UNSAFE', file, path, message, remedy: `chmod ${wanted} ${file}` }];
}
