import type { Path } from './located.js';
import type { Lock, Promises } from './lock-schema.js';

/** A promise of the lock file that the settings would break, so that data would be lost from sight or be misread. */
export interface BrokenPromise {
  /** What `ragdock lock ENV --accept NAME` calls it. */
  readonly name: string;
  /** Where it stands in the lock file. */
  readonly path: Path;
  readonly message: string;
  /** How to move the data, without the last step, which is to accept the change. */
  readonly steps: string;
}

/** The name under which a change of PostgreSQL's major version is accepted. */
export const POSTGRES_MAJOR = 'postgres-major';

/** Every promise that is kept no longer. What was not promised before, or is not wanted any more, breaks none. */
export function brokenPromises(lock: Lock, promises: Promises): readonly BrokenPromise[] {
  return [
    ...renamedVolumes(lock, promises),
    ...leftVolumes(lock, promises),
    ...changedMajor(lock, promises),
    ...changedCollections(lock, promises),
  ];
}

function renamedVolumes(lock: Lock, promises: Promises): BrokenPromise[] {
  return Object.entries(promises.volumes).flatMap(([id, wanted]): BrokenPromise[] => {
    const promised = lock.volumes[id];
    if (promised === undefined || promised === wanted) return [];
    return [
      {
        name: id,
        path: ['volumes', id],
        message: `the data of ${id} was promised to lie in the volume ${promised}, and the settings say ${wanted}`,
        steps: `to move the data, stop the service and copy the volume (docker run --rm -v ${promised}:/from:ro -v ${wanted}:/to busybox cp -a /from/. /to/)`,
      },
    ];
  });
}

/** Data that was the stack's, and would be looked for on somebody else's server from now on. */
function leftVolumes(lock: Lock, { elsewhere = {} }: Promises): BrokenPromise[] {
  return Object.entries(elsewhere).flatMap(([id, server]): BrokenPromise[] => {
    const promised = lock.volumes[id];
    if (promised === undefined) return [];
    return [
      {
        name: id,
        path: ['volumes', id],
        message: `the data of ${id} lies in the volume ${promised}, and the settings look for it at ${server}`,
        steps: `bring what you need of it to that server; the volume stays where it is`,
      },
    ];
  });
}

function changedMajor(lock: Lock, { postgresMajor }: Promises): BrokenPromise[] {
  const promised = lock.postgres?.major;
  // Of a server that was, or is now, somebody else's there is no promise; what was in its volume is looked at as such.
  if (promised === undefined || postgresMajor === undefined || promised === postgresMajor) return [];
  return [
    {
      name: POSTGRES_MAJOR,
      path: ['postgres', 'major'],
      message: `the data was promised to be PostgreSQL ${promised}'s, which PostgreSQL ${postgresMajor} cannot read`,
      steps: `to move the data, write it out with pg_dumpall of ${promised}, name a new volume in services.postgres.volume, and read it into that with psql of ${postgresMajor}`,
    },
  ];
}

function changedCollections(lock: Lock, promises: Promises): BrokenPromise[] {
  return Object.entries(promises.collections).flatMap(([name, wanted]): BrokenPromise[] => {
    const promised = lock.collections[name];
    if (!promised) return [];
    const changes = (['language', 'embedding', 'dimension'] as const)
      .filter((trait) => promised[trait] !== wanted[trait])
      .map((trait) => `${trait} ${promised[trait]}, and the settings say ${wanted[trait]}`);
    if (changes.length === 0) return [];
    return [
      {
        name,
        path: ['collections', name],
        message: `the collection ${name} was made with ${changes.join('; ')}`,
        steps: `to change it, delete the collection in Qdrant and ingest its documents again`,
      },
    ];
  });
}
