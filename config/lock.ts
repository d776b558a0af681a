import { nearest } from '../src/errors/nearest.js';
import { type Problem, RagdockError, throwProblems } from '../src/errors/problem.js';
import { type BrokenPromise, brokenPromises } from './broken-promises.js';
import type { Environment } from './environment.js';
import { type Path, showPath } from './located.js';
import { lockFileOf, lockMissing } from './lock-file.js';
import type { Lock, Promises } from './lock-schema.js';
import { capacity, contains, freeSubnets, isSubnet, overlaps, parseRange, type Range, showRange } from './subnets.js';

/** What an environment's lock is planned and checked by. An `Environment` is one. */
export interface Locked extends Pick<Environment, 'name' | 'file' | 'lock' | 'lockPlaceOf'> {
  readonly settings: { readonly host: { readonly networkPool: string } };
}

/**
 * The lock that `promises` need. What the lock of today promises stays as it is: networks keep their subnets, secrets
 * their versions. New networks get the lowest free subnets; what nobody needs any more is freed.
 *
 * @param accepted promises that may be broken on purpose: ids of data volumes, names of collections, `postgres-major`
 * @throws RagdockError LOCK_PROMISE_BROKEN with every other one, NETWORK_POOL_EXHAUSTED
 */
export function planLock(environment: Locked, promises: Promises, accepted: readonly string[] = []): Lock {
  const { lock } = environment;
  const broken = lock ? brokenPromises(lock, promises) : [];
  throwProblems([
    ...unknownAccepted(accepted, broken),
    ...broken.filter(({ name }) => !accepted.includes(name)).map((promise) => brokenProblem(environment, promise)),
  ]);
  return {
    lock: 1,
    networks: allocate(environment, promises.networks),
    volumes: { ...promises.volumes },
    secrets: Object.fromEntries(promises.secrets.map((name) => [name, lock?.secrets[name] ?? { version: 1 }])),
    ...(promises.postgresMajor === undefined ? {} : { postgres: { major: promises.postgresMajor } }),
    collections: structuredClone({ ...promises.collections }),
    images: { ...lock?.images },
  };
}

/**
 * What keeps an environment from being synthesised as long as its lock file says something else: LOCK_MISSING,
 * LOCK_STALE for everything that it lacks or has too much, LOCK_PROMISE_BROKEN.
 */
export function checkLock(environment: Locked, promises: Promises): readonly Problem[] {
  const { lock, name } = environment;
  if (!lock) return [lockMissing(environment)];
  const stale = (path: Path, message: string): Problem => ({
    code: 'LOCK_STALE',
    ...placeIn(environment, path),
    message,
    remedy: `Run \`ragdock lock ${name}\` and commit the change.`,
  });
  const wanted = {
    networks: promises.networks,
    volumes: Object.keys(promises.volumes),
    secrets: promises.secrets,
    collections: Object.keys(promises.collections),
  };
  const differences = (['networks', 'volumes', 'secrets', 'collections'] as const).flatMap((kind) => {
    const known = Object.keys(lock[kind]);
    const lacking = wanted[kind].filter((id) => !known.includes(id));
    // Data that is looked for elsewhere now is a promise that is broken, and told as such.
    const isLeft = (id: string) => kind === 'volumes' && promises.elsewhere?.[id] !== undefined;
    const spare = known.filter((id) => !wanted[kind].includes(id) && !isLeft(id));
    const one = kind.slice(0, -1);
    return [
      ...lacking.map((id) => stale([kind, id], `the ${one} ${id} is not in the lock file`)),
      ...spare.map((id) => stale([kind, id], `the ${one} ${id} is not in the settings any more`)),
    ];
  });
  return [
    ...differences,
    ...badSubnets(lock, parseRange(environment.settings.host.networkPool)).map(({ path, message }) =>
      stale(path, message),
    ),
    ...brokenPromises(lock, promises).map((promise) => brokenProblem(environment, promise)),
  ];
}

/** Subnets that a network cannot keep: they lie elsewhere, or another one has them, as after a merge of two branches. */
function badSubnets(
  lock: Lock,
  pool: Range,
  ids = Object.keys(lock.networks),
): readonly { id: string; path: Path; message: string }[] {
  const taken: { id: string; range: Range }[] = [];
  return ids.toSorted().flatMap((id) => {
    const text = lock.networks[id] ?? '';
    const range = parseRange(text);
    const other = taken.find((earlier) => overlaps(earlier.range, range));
    const reason = !isSubnet(text)
      ? 'is no /29 named by its first address'
      : !contains(pool, range)
        ? `lies outside host.networkPool, ${showRange(pool)}`
        : other && `is the subnet of ${other.id} too`;
    if (reason === undefined) taken.push({ id, range });
    return reason === undefined ? [] : [{ id, path: ['networks', id], message: `${text} ${reason}` }];
  });
}

function allocate(environment: Locked, wanted: readonly string[]): Record<string, string> {
  const { lock, settings, file } = environment;
  const pool = parseRange(settings.host.networkPool);
  const known = wanted.filter((id) => lock?.networks[id] !== undefined);
  const bad = new Set(lock ? badSubnets(lock, pool, known).map(({ id }) => id) : []);
  const kept = Object.entries(lock?.networks ?? {}).filter(([id]) => known.includes(id) && !bad.has(id));
  const networks = new Map(kept);
  const free = freeSubnets(
    pool,
    kept.map(([, subnet]) => parseRange(subnet)),
  );
  for (const id of wanted.toSorted()) {
    if (networks.has(id)) continue;
    const next = free.next();
    if (next.done) {
      const message = `${wanted.length} networks are needed, and ${showRange(pool)} has room for ${capacity(pool)}`;
      throw new RagdockError({ code: 'NETWORK_POOL_EXHAUSTED', file, path: 'host.networkPool', message });
    }
    networks.set(id, showRange(next.value));
  }
  return Object.fromEntries(networks);
}

function brokenProblem(environment: Locked, { name, path, message, steps }: BrokenPromise): Problem {
  const accept = `ragdock lock ${environment.name} --accept ${name}`;
  const remedy = `Undo the change, or: ${steps}; then run \`${accept}\`.`;
  return { code: 'LOCK_PROMISE_BROKEN', ...placeIn(environment, path), message, remedy };
}

function unknownAccepted(accepted: readonly string[], broken: readonly BrokenPromise[]): readonly Problem[] {
  const names = broken.map(({ name }) => name);
  return accepted
    .filter((name) => !names.includes(name))
    .map((name) => {
      const meant = nearest(name, names);
      const remedy = names.length === 0 ? 'Leave --accept out.' : `Did you mean \`${meant ?? names.join('`, `')}\`?`;
      return { code: 'USAGE', message: `--accept ${name}: no promise of this name is broken`, remedy };
    });
}

function placeIn({ file, lockPlaceOf }: Locked, path: Path): Pick<Problem, 'file' | 'line' | 'column' | 'path'> {
  return { file: lockFileOf(file), ...lockPlaceOf?.(path), path: showPath(path) };
}
