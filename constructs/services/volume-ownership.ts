import type { Construct } from 'constructs';
import { type DataVolume, Job, type User, type Workload, workloadsOf } from '../model/index.js';
import { bundledApp } from './bundled-app.js';

/** Gives the data volumes of one service to the user that it runs as. */
export class VolumeOwnership extends Job {
  constructor(scope: Construct, id: string, owner: User, volumes: readonly DataVolume[]) {
    super(scope, id, {
      ...bundledApp('job-ownership'),
      user: { uid: 0, gid: 0 },
      command: ['job-ownership', `${owner.uid}:${owner.gid}`, ...volumes.map((volume) => volume.path)],
      memoryMiB: 128,
      relax: {
        root: true,
        capabilities: ['CHOWN'],
        reason: 'changes the owner of volumes that the engine, or an earlier image, made for root',
      },
    });
    for (const volume of volumes) this.addDataVolume(volume);
  }
}

/**
 * Let every workload below `scope` that writes to owned volumes run after a job that gives it those volumes. Call it
 * after the last service was made.
 */
export function giveVolumesToTheirOwners(scope: Construct): void {
  for (const workload of workloadsOf(scope)) {
    const [first, ...rest] = writableOwnedVolumes(workload);
    if (!first) continue;
    const job = new VolumeOwnership(scope, `${workload.node.id}-ownership`, first.owner, [first, ...rest]);
    workload.runAfter(job);
  }
}

function writableOwnedVolumes(workload: Workload): readonly (DataVolume & { readonly owner: User })[] {
  return workload.dataVolumes.flatMap((volume) =>
    volume.owner && volume.readOnly !== true ? [{ ...volume, owner: volume.owner }] : [],
  );
}
