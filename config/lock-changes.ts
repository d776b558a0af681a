import type { Lock } from './lock-schema.js';

/** What differs between two locks, one line a promise: `+ networks.a--b 10.231.0.0/29`. */
export function lockChanges(before: Lock | undefined, after: Lock): readonly string[] {
  const old = before ? promisesIn(before) : new Map<string, string>();
  const now = promisesIn(after);
  const added = [...now].filter(([key]) => !old.has(key)).map(([key, value]) => `+ ${key} ${value}`);
  const changed = [...now]
    .filter(([key, value]) => old.has(key) && old.get(key) !== value)
    .map(([key, value]) => `~ ${key} ${old.get(key)} → ${value}`);
  const freed = [...old]
    .filter(([key]) => !now.has(key))
    .map(([key, value]) => `- ${key} ${value}${STAYS.test(key) ? ' (the data stays where it is)' : ''}`);
  return [...added, ...changed, ...freed];
}

/** Promises whose end removes no data. */
const STAYS = /^(volumes|collections)\./;

function promisesIn({ networks, volumes, secrets, postgres, collections, images }: Lock): Map<string, string> {
  const entries = Object.entries({ networks, volumes, secrets, postgres: postgres ?? {}, collections, images });
  return new Map(
    entries.flatMap(([kind, record]) =>
      Object.entries(record).map(([id, promise]): [string, string] => [`${kind}.${id}`, show(promise)]),
    ),
  );
}

function show(promise: unknown): string {
  if (typeof promise !== 'object' || promise === null) return String(promise);
  return Object.entries(promise)
    .filter(([key]) => key !== 'fingerprint')
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
}
