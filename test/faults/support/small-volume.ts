import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Deployment } from '../../deploy/support/deployment.js';
import { inVolume } from '../../deploy/support/in-volume.js';
import { succeed } from '../../deploy/support/project.js';
import { inPlaceOf, volumeAt } from './changes.js';
import type { Undo } from './fault.js';

/** A disk that is full has less than this left, in KiB. */
const NOTHING_KIB = 16;

/** Move a service's data onto a disk of 200 MB, which is a file, and fill that up to its last block. */
export async function onFullVolume(deployment: Deployment, service: string, path: string): Promise<Undo> {
  const { engine, name } = deployment;
  const folder = mkdtempSync(join(tmpdir(), 'ragdock-disk-'));
  const file = join(folder, 'disk.img');
  await succeed('truncate', ['--size=200M', file]);
  // Nothing is kept back for root.
  await succeed('mkfs.ext4', ['-q', '-m', '0', file]);
  const device = (await succeed('losetup', ['--find', '--show', file])).stdout.trim();
  const small = `${name}-${service}-small`;
  const original = await volumeAt(deployment, service, path);
  const release = async () => {
    await engine.docker.getVolume(small).remove({ force: true });
    await succeed('losetup', ['--detach', device]);
    rmSync(folder, { recursive: true });
  };
  await engine.docker.createVolume({ Name: small, Driver: 'local', DriverOpts: { type: 'ext4', device } });
  let back: Undo = () => engine.containerOf(service).start();
  try {
    await engine.containerOf(service).stop();
    await inVolume(engine, small, 'cp -a --sparse=always /original/. /volume/', [], { '/original': original });
    const stopped = await inPlaceOf(deployment, service, ({ HostConfig }) => ({
      Mounts: (HostConfig.Mounts ?? []).map((mount) => (mount.Target === path ? { ...mount, Source: small } : mount)),
    }));
    // It was stopped when it was put aside, and comes back as it was then.
    back = async () => {
      await stopped();
      await engine.containerOf(service).start();
    };
    await engine.allHealthy();
    await inVolume(engine, small, FILL);
  } catch (error) {
    await back();
    await release();
    throw error;
  }
  return async () => {
    await back();
    await release();
  };
}

const FILL = `
dd if=/dev/zero of=/volume/ballast bs=1M 2>/dev/null || true
dd if=/dev/zero of=/volume/ballast-of-crumbs bs=1k 2>/dev/null || true
`;

/** Whether the disk behind a service's volume has no room left. */
export async function isFull(deployment: Deployment, service: string, path: string): Promise<boolean> {
  const volume = await volumeAt(deployment, service, path);
  const left = await inVolume(deployment.engine, volume, 'df -k --output=avail /volume | tail -n 1');
  return Number(left) < NOTHING_KIB;
}
