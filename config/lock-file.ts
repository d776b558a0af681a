import { stringify } from 'yaml';
import { type Problem, RagdockError } from '../src/errors/problem.js';
import type { Environment } from './environment.js';
import { locate, type Mark, type Path, plain, showPath } from './located.js';
import { type Lock, LockSchema } from './lock-schema.js';
import { readText } from './read-text.js';
import { parseYaml } from './yaml.js';

/** A lock file as it was read. Neither lock nor problems: there is no such file. */
export interface LockFile {
  readonly lock: Lock | undefined;
  readonly problems: readonly Problem[];
  readonly placeOf?: (path: Path) => Mark;
}

/** `config/environments/dev.lock.yaml` for `config/environments/dev.yaml`. */
export const lockFileOf = (environmentFile: string): string => environmentFile.replace(/(\.yaml)?$/, '.lock.yaml');

/** What an environment without a lock file is told. */
export function lockMissing({ file, name }: Pick<Environment, 'file' | 'name'>): Problem {
  const remedy = `Run \`ragdock lock ${name}\` and commit the file that it writes.`;
  return { code: 'LOCK_MISSING', file, message: `${lockFileOf(file)} does not exist`, remedy };
}

/** The environment's lock. Throws LOCK_MISSING. */
export function lockOf(environment: Pick<Environment, 'file' | 'name' | 'lock'>): Lock {
  if (environment.lock) return environment.lock;
  throw new RagdockError(lockMissing(environment));
}

/** Read a lock file. A missing one is no problem here: synth and deploy ask for it, `ragdock lock` makes it. */
export function readLock(cwd: string, file: string): LockFile {
  const read = readText(cwd, file);
  if ('text' in read) return parseLock(read.text, file);
  return { lock: undefined, problems: read.missing ? [] : [read.problem] };
}

/** Parse the text of a lock file. Whatever is wrong with it is LOCK_INVALID: nobody writes these files by hand. */
export function parseLock(text: string, file: string): LockFile {
  const conflict = /^(<{7}|={7}|>{7})( |$)/m.exec(text);
  if (conflict) return damaged([mergeConflict(text.slice(0, conflict.index).split('\n').length, file)]);
  const { root, problems } = parseYaml(text, file);
  if (problems.length > 0 || root?.kind !== 'map') {
    const first: Problem = { code: 'LOCK_INVALID', file, message: 'the file holds no promises' };
    return damaged(problems.length > 0 ? problems.map(asDamage) : [first]);
  }
  const placeOf = (path: Path): Mark => {
    const { key, value, exact } = locate(root, path);
    return exact ? value : key;
  };
  const parsed = LockSchema.safeParse(plain(root));
  if (parsed.success) return { lock: parsed.data, problems: [], placeOf };
  return damaged(
    parsed.error.issues.map(({ path: keys, message }) => {
      const path = keys.map((key) => (typeof key === 'number' ? key : String(key)));
      return { code: 'LOCK_INVALID', ...placeOf(path), path: showPath(path), message };
    }),
  );
}

function damaged(problems: readonly Problem[]): LockFile {
  return { lock: undefined, problems };
}

/** What is wrong with the YAML, without its remedy: to edit the file would be the wrong one here. */
function asDamage({ remedy: _, ...problem }: Problem): Problem {
  return { ...problem, code: 'LOCK_INVALID' };
}

function mergeConflict(line: number, file: string): Problem {
  const message = 'the file holds the conflict markers of a merge';
  const remedy = 'Take either side of the whole file, then run `ragdock lock ENV`, which adds what that side lacks.';
  return { code: 'LOCK_INVALID', file, line, column: 1, message, remedy };
}

/** The text of a lock file: same promises, same bytes. */
export function serialiseLock(lock: Lock, environment: string): string {
  // The schema puts the keys of each promise into its own order.
  const { networks, volumes, secrets, postgres, collections, images } = LockSchema.parse(lock);
  const body = {
    lock: lock.lock,
    networks: sorted(networks),
    volumes: sorted(volumes),
    secrets: sorted(secrets),
    ...(postgres && { postgres }),
    collections: sorted(collections),
    ...(Object.keys(images).length > 0 && { images: sorted(images) }),
  };
  return `${header(environment)}${stringify(body, { lineWidth: 0 })}`;
}

function header(environment: string): string {
  return [
    `# What ${environment} has been promised: synth refuses to break it. Commit this file with ${environment}.yaml.`,
    `# Written by \`ragdock lock ${environment}\` and \`ragdock secrets init ${environment}\`; not meant to be edited.`,
    '',
  ].join('\n');
}

/** By code units, so that no locale changes the order. */
function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
