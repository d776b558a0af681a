import { createHash, type Hash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RootConstruct } from 'constructs';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import type { Environment } from '../../config/environment.js';
import { checkLock } from '../../config/lock.js';
import { IMAGES } from '../../constructs/images.js';
import { Workload } from '../../constructs/model/index.js';
import { APPS_USER } from '../../constructs/services/bundled-app.js';
import { promisesOf } from '../../stacks/promises.js';
import { RagServices } from '../../stacks/rag-services.js';
import { RagdockError, throwProblems } from '../errors/problem.js';
import { statusOf } from './docker.js';
import { requireKnown } from './known.js';
import { newRun } from './session.js';

/** Where the carrier sees the volume: a folder that no image has. */
const FOLDER = '/ragdock';

/** Longest time for giving the file its name, in seconds: a rename, or the removal of what was refused. */
const FINISH_SECONDS = 120;

/** Where a model file goes, and what it has to be. */
export interface ModelDestination {
  /** Name of the volume on the engine. */
  readonly volume: string;
  /** Name of the file in it. */
  readonly file: string;
  readonly sha256: string;
  /** Image with a shell, of the server that will read the file. */
  readonly image: string;
}

/** A file of this machine, and what it is called in messages. */
export interface ModelFile {
  readonly path: string;
  readonly shown: string;
}

export interface ImportProgress {
  readonly step: 'checking' | 'pulling' | 'sending';
  /** Bytes done, and of how many. */
  readonly done: number;
  readonly of: number;
}

/** Where the model of an environment belongs. Works before the first deploy, and without a lock file. */
export function modelDestination({ name, settings, lock, ...rest }: Environment, llm?: string): ModelDestination {
  const chosen = llm ?? settings.services.api.llm;
  requireKnown('model', chosen, Object.keys(settings.services.llm), name);
  if (lock) throwProblems(checkLock({ name, settings, lock, ...rest }, promisesOf(settings, name)));
  const server = settings.services.llm[chosen] as Environment['settings']['services']['llm'][string];
  if (server.engine === 'openai') {
    throw new RagdockError({
      code: 'USAGE',
      path: `services.llm.${chosen}`,
      message: `the model ${chosen} is served outside the stack, at ${server.url}`,
      remedy: 'Bring the file to that server.',
    });
  }
  if (server.engine !== 'llama.cpp') {
    throw new RagdockError({
      code: 'USAGE',
      path: `services.llm.${chosen}`,
      message: `the model ${chosen} is served by ${server.engine}, which reads a folder of many files and no single one`,
      remedy: 'Its job downloads it; for files that the host has, set `model.onHost`.',
    });
  }
  const { model, image = IMAGES.llamaCpp } = server;
  const served = new RagServices(new RootConstruct(), settings).llms.get(chosen);
  const [volume] = served && Workload.isWorkload(served) ? served.dataVolumes : [];
  if (!volume) throw new Error(`the model server ${chosen} keeps its model in no volume`);
  return { volume: volume.name ?? `${name}-${volume.id}`, file: model.file, sha256: model.sha256, image };
}

/**
 * Throws MODEL_FILE_MISMATCH unless the file is the one that the environment names.
 *
 * @returns its size in bytes
 */
export async function checkModelFile(
  file: ModelFile,
  { sha256 }: ModelDestination,
  onProgress: (progress: ImportProgress) => void,
  signal: AbortSignal,
): Promise<number> {
  const { size } = await statFile(file);
  const hash = createHash('sha256');
  await pipeline(createReadStream(file.path), counted(size, 'checking', hash, onProgress), new Sink(), { signal });
  const found = hash.digest('hex');
  if (found !== sha256) throw mismatch(file, `its SHA-256 is ${found}, the environment names ${sha256}`);
  return size;
}

/**
 * Bring a checked file into its volume, through a container that is made and never started. Until all of it is there
 * it has another name, so that nobody ever reads half a model.
 */
export async function importModel(
  docker: Docker,
  file: ModelFile,
  size: number,
  destination: ModelDestination,
  onProgress: (progress: ImportProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  await requireImage(docker, destination.image, onProgress, signal);
  // With its name alone, as the engine itself would make it when a service mounts it first.
  await docker.createVolume({ Name: destination.volume });
  const part = `.${destination.file}.${newRun()}.part`;
  const hash = createHash('sha256');
  try {
    await carry(docker, destination, part, size, file, hash, onProgress, signal);
    const sent = hash.digest('hex');
    if (sent !== destination.sha256) throw mismatch(file, 'it was changed while it was sent');
    await inVolume(docker, destination, ['mv', '-f', `${FOLDER}/${part}`, `${FOLDER}/${destination.file}`]);
  } catch (error) {
    // Best effort, because the cause matters more: what may be left has a name that no server reads.
    await inVolume(docker, destination, ['rm', '-f', `${FOLDER}/${part}`]).catch(() => undefined);
    throw error;
  }
}

/** Takes everything and keeps nothing. */
class Sink extends Writable {
  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}

async function statFile({ path, shown }: ModelFile): Promise<Stats> {
  const stats = await stat(path).catch((cause: Error) => {
    throw new RagdockError({ code: 'FILE_UNREADABLE', file: shown, message: cause.message }, { cause });
  });
  if (!stats.isFile()) throw new RagdockError({ code: 'FILE_UNREADABLE', file: shown, message: 'is not a file' });
  return stats;
}

/** A stage that hashes what it lets pass, and reports on it. */
function counted(size: number, step: ImportProgress['step'], hash: Hash, onProgress: (it: ImportProgress) => void) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let done = 0;
    for await (const chunk of source) {
      hash.update(chunk);
      done += chunk.length;
      onProgress({ step, done, of: size });
      yield chunk;
    }
  };
}

async function carry(
  docker: Docker,
  { volume, image }: ModelDestination,
  part: string,
  size: number,
  file: ModelFile,
  hash: Hash,
  onProgress: (progress: ImportProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  // Its root is writable because the engine refuses to unpack anything into a container with a read-only one.
  const carrier = await docker.createContainer({
    name: `${volume}-import-${newRun()}`,
    Image: image,
    // Else the engine would give the file to the image's own user.
    User: '0:0',
    HostConfig: { NetworkMode: 'none', Memory: CARRIER_MEMORY, MemorySwap: CARRIER_MEMORY, Mounts: [mountOf(volume)] },
  });
  try {
    const archive = pack();
    const { uid, gid } = APPS_USER;
    const entry = archive.entry({ name: part, size, uid, gid, mode: 0o644 });
    const filled = pipeline(createReadStream(file.path), counted(size, 'sending', hash, onProgress), entry, {
      signal,
    }).then(
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
async function inVolume(
  docker: Docker,
  { volume, image }: ModelDestination,
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

const CARRIER_MEMORY = 64 * 1024 * 1024;

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

function mismatch(file: ModelFile, message: string): RagdockError {
  return new RagdockError({ code: 'MODEL_FILE_MISMATCH', file: file.shown, message });
}
