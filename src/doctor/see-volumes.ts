import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { VolumeInspectInfo } from 'dockerode';
import type { Topology } from '../../constructs/engines/docker/index.js';
import type { SeenVolume } from './evidence.js';
import { fileSystemOf, isOutOfSight, roomAt } from './see-engine.js';

/** What file systems make for themselves. */
const OF_THE_FILE_SYSTEM = 'lost+found';

/** Entries of others that are told of one volume. */
const MOST_ENTRIES = 3;

/**
 * The data volumes that somebody writes to: who owns them, and what room they have where they are on a disk of their
 * own. Both are looked at on this machine; nothing is said of what it does not let us see.
 *
 * @param isLocal whether the engine keeps its volumes on this machine
 */
export async function seeVolumes(
  topology: Topology,
  volumes: readonly VolumeInspectInfo[],
  isLocal: boolean,
  dataRoot: string | undefined,
): Promise<readonly SeenVolume[]> {
  if (!isLocal || dataRoot === undefined) return [];
  const engineDisk = await fileSystemOf(dataRoot);
  const seen = new Map<string, Promise<SeenVolume>>();
  for (const { dataVolumes, node } of topology.workloads) {
    for (const volume of dataVolumes) {
      const name = topology.volumeName(volume);
      const folder = volumes.find(({ Name }) => Name === name)?.Mountpoint;
      // A job that gives a volume to its user has root for an owner of none; whoever names one first is the service.
      if (!folder || volume.readOnly || volume.owner === undefined || seen.has(name)) continue;
      const service = node.id.replace(/-ownership$/, '');
      seen.set(name, seeVolume({ name, service, folder, owner: volume.owner, engineDisk }));
    }
  }
  return Promise.all(seen.values());
}

interface VolumeLook {
  readonly name: string;
  readonly service: string;
  /** Where the engine keeps it. */
  readonly folder: string;
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Number of the file system of the engine's own data. */
  readonly engineDisk: number | undefined;
}

async function seeVolume({ name, service, folder, owner, engineDisk }: VolumeLook): Promise<SeenVolume> {
  const wantedOwner = `${owner.uid}:${owner.gid}`;
  const own = await fileSystemOf(folder);
  const isElsewhere = own !== undefined && engineDisk !== undefined && own !== engineDisk;
  return {
    name,
    service,
    wantedOwner,
    foreign: await foreignIn(folder, owner.uid),
    disk: isElsewhere ? await roomAt(folder, `the volume ${name}`) : undefined,
  };
}

/** The folder itself and what is at its top that belongs to another user, as `name belongs to uid:gid`. */
async function foreignIn(folder: string, uid: number): Promise<readonly string[]> {
  try {
    const names = (await readdir(folder)).filter((name) => name !== OF_THE_FILE_SYSTEM).sort();
    const entries = await Promise.all(
      ['.', ...names].map(async (name) => ({ name, owner: await stat(join(folder, name)) })),
    );
    return entries
      .filter(({ owner }) => owner.uid !== uid)
      .slice(0, MOST_ENTRIES)
      .map(({ name, owner }) => `${name} belongs to ${owner.uid}:${owner.gid}`);
  } catch (error) {
    if (isOutOfSight(error)) return [];
    throw error;
  }
}
