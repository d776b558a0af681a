import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { type Pack, pack } from 'tar-stream';
import { RagdockError } from '../errors/problem.js';
import { statusOf } from './docker.js';
import { newRun } from './session.js';

/** Where the carrier sees the volume: a folder that no image has. */
export const FOLDER = '/ragdock';

/** Longest time for giving what was sent its name, in seconds: a rename, or the removal of what was refused. */
const FINISH_SECONDS = 120;

const CARRIER_MEMORY = 64 * 1024 * 1024;

/** A volume of a model server. */
export interface ModelVolume {
  /** Name of the volume on the engine. */
  readonly volume: string;
  /** Image with a shell, of the server that will read the files. */
  readonly image: string;
}

export interface ImportProgress {
  readonly step: 'checking' | 'pulling' | 'sending';
  /** Bytes done, and of how many. */
  readonly done: number;
  readonly of: number;
}

/** Brings the image and the volume about, as far as they are not there. */
export async function prepareVolume(
  docker: Docker,
  { volume, image }: ModelVolume,
  onProgress: (progress: ImportProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  await requireImage(docker, image, onProgress, signal);
  // With its name alone, as the engine itself would make it when a service mounts it first.
  await docker.createVolume({ Name: volume });
}

/** Unpacks what `fill` puts into the archive, through a container that is made and never started. */
export async function carry(
  docker: Docker,
  { volume, image }: ModelVolume,
  fill: (archive: Pack) => Promise<void>,
): Promise<void> {
  // Its root is writable because the engine refuses to unpack anything into a container with a read-only one.
  const carrier = await docker.createContainer({
    name: `${volume}-import-${newRun()}`,
    Image: image,
    // Else the engine would give the files to the image's own user.
    User: '0:0',
    HostConfig: { NetworkMode: 'none', Memory: CARRIER_MEMORY, MemorySwap: CARRIER_MEMORY, Mounts: [mountOf(volume)] },
  });
  try {
    const archive = pack();
    const filled = fill(archive).then(
      () => archive.finalize(),
      (error: Error) => {
        archive.destroy(error);
        throw error;
      },
    );
    const sent = carrier.putArchive(Readable.from(archive), { path: FOLDER });
    await Promise.all([filled, sent]);
  } finally {
    await carrier.remove({ force: true });
  }
}

/** Run one program on the volume: as root, because the volume may belong to root still, or to the server's user. */
export async function inVolume(
  docker: Docker,
  { volume, image }: ModelVolume,
  command: readonly string[],
): Promise<void> {
  const container = await docker.createContainer({
    name: `${volume}-import-${newRun()}`,
    Image: image,
    Entrypoint: [...command],
    Cmd: [],
    User: '0:0',
    HostConfig: {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      // To write into the folder whoever owns it.
      CapAdd: ['DAC_OVERRIDE'],
      SecurityOpt: ['no-new-privileges:true'],
      Memory: CARRIER_MEMORY,
      MemorySwap: CARRIER_MEMORY,
      Mounts: [mountOf(volume)],
    },
  });
  try {
    const late = AbortSignal.timeout(FINISH_SECONDS * 1000);
    const exit = (
      container.wait({ condition: 'next-exit', abortSignal: late }) as Promise<{ StatusCode: number }>
    ).then(
      ({ StatusCode }) => `ended with ${StatusCode}`,
      (error: unknown) => {
        if (!late.aborted) throw error;
        return `did not end within ${FINISH_SECONDS} s`;
      },
    );
    exit.catch(() => undefined);
    await container.start();
    const outcome = await exit;
    if (outcome !== 'ended with 0') {
      const message = `${command[0]} in the volume ${volume} ${outcome}`;
      throw new RagdockError({
        code: 'SESSION_FAILED',
        message,
        remedy: 'Check that the volume is writable and not full.',
      });
    }
  } finally {
    await container.remove({ force: true });
  }
}

const mountOf = (volume: string) => ({ Type: 'volume', Source: volume, Target: FOLDER }) as const;

async function requireImage(
  docker: Docker,
  image: string,
  onProgress: (progress: ImportProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const present = await docker
    .getImage(image)
    .inspect()
    .then(
      () => true,
      (error: unknown) => {
        if (statusOf(error) === 404) return false;
        throw error;
      },
    );
  if (present) return;
  onProgress({ step: 'pulling', done: 0, of: 0 });
  const stream = await docker.pull(image, { abortSignal: signal });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
  });
}
