import { createHash, type Hash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RootConstruct } from 'constructs';
import type Docker from 'dockerode';
import type { Environment } from '../../config/environment.js';
import { checkLock } from '../../config/lock.js';
import { IMAGES } from '../../constructs/images.js';
import { type User, Workload } from '../../constructs/model/index.js';
import { APPS_USER } from '../../constructs/services/bundled-app.js';
import { promisesOf } from '../../stacks/promises.js';
import { RagServices } from '../../stacks/rag-services.js';
import { RagdockError, throwProblems } from '../errors/problem.js';
import { requireKnown } from './known.js';
import { carry, FOLDER, type ImportProgress, inVolume, type ModelVolume, prepareVolume } from './model-carrier.js';
import { newRun } from './session.js';

/** Where a model file goes, and what it has to be. */
export interface ModelFileDestination extends ModelVolume {
  readonly kind: 'file';
  /** Name of the file in the volume. */
  readonly file: string;
  readonly sha256: string;
}

/** Where the files of a model go that a server reads from a cache of Hugging Face. */
export interface ModelFolderDestination extends ModelVolume {
  readonly kind: 'folder';
  /** Repository of Hugging Face that the server asks its cache for. */
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** The server's user. */
  readonly owner: User;
}

/** What the server of a model reads. */
export type ModelDestination = ModelFileDestination | ModelFolderDestination;

/** Whose model is meant. */
export type ModelOwner = { readonly embeddings: true } | { readonly llm: string | undefined };

/** A file or folder of this machine, and what it is called in messages. */
export interface ModelFile {
  readonly path: string;
  readonly shown: string;
}

/**
 * Where the model of an environment belongs. Works before the first deploy, and without a lock file.
 *
 * @param of the embedding server, or a model server by its name in services.llm, the one that answers by default
 */
export function modelDestination(environment: Environment, of: ModelOwner = { llm: undefined }): ModelDestination {
  const { name, settings, lock } = environment;
  if (lock) throwProblems(checkLock(environment, promisesOf(settings, name)));
  if ('embeddings' in of) return embeddingDestination(environment);
  const chosen = of.llm ?? settings.services.api.llm;
  requireKnown('model', chosen, Object.keys(settings.services.llm), name);
  const server = settings.services.llm[chosen] as Environment['settings']['services']['llm'][string];
  if (server.engine === 'openai') {
    throw new RagdockError({
      code: 'USAGE',
      path: `services.llm.${chosen}`,
      message: `the model ${chosen} is served outside the stack, at ${server.url}`,
      remedy: 'Bring the files to that server.',
    });
  }
  if (server.engine === 'vllm' && server.model.onHost) {
    throw new RagdockError({
      code: 'USAGE',
      path: `services.llm.${chosen}.model.onHost`,
      message: `the model ${chosen} is read from a folder of its host, and from no volume`,
      remedy: 'Put the files into that folder, or remove `model.onHost`.',
    });
  }
  const served = new RagServices(new RootConstruct(), settings).llms.get(chosen);
  if (!served || !Workload.isWorkload(served)) throw new Error(`the model server ${chosen} is none of the stack`);
  const found = served.dataVolumes.find(({ id }) => id === `${served.node.id}-models`);
  if (!found) throw new Error(`the model server ${chosen} keeps its model in no volume`);
  const volume = found.name ?? `${name}-${found.id}`;
  if (server.engine === 'vllm') {
    const { image = IMAGES.vllm, model } = server;
    const { name: repository, revision = 'main' } = model;
    return { kind: 'folder', volume, image, repository, revision, owner: found.owner ?? served.user };
  }
  const { model, image = IMAGES.llamaCpp } = server;
  return { kind: 'file', volume, image, file: model.file, sha256: model.sha256 };
}

function embeddingDestination({ name, settings }: Environment): ModelFolderDestination {
  const { enabled, model } = settings.services.embeddings;
  const refusal = (path: string, message: string, remedy: string) =>
    new RagdockError({ code: 'USAGE', path: `services.embeddings${path}`, message, remedy });
  if (!enabled) {
    throw refusal('.enabled', `${name} has no embedding server`, 'Set `services.embeddings.enabled: true`.');
  }
  if (model.onHost) {
    const message = 'the model is read from a folder of its host, and from no volume';
    throw refusal('.model.onHost', message, 'Put the files into that folder, or remove `model.onHost`.');
  }
  const server = new RagServices(new RootConstruct(), settings).embeddings;
  const found = server?.dataVolumes.find(({ id }) => id === `${server.node.id}-models`);
  if (!server || !found || server.image === 'bundled-apps') throw new Error('the embedding server reads no volume');
  return {
    kind: 'folder',
    volume: found.name ?? `${name}-${found.id}`,
    image: server.image.reference,
    repository: model.name,
    revision: model.revision ?? 'main',
    owner: found.owner ?? server.user,
  };
}

/**
 * Throws MODEL_FILE_MISMATCH unless the file is the one that the environment names.
 *
 * @returns its size in bytes
 */
export async function checkModelFile(
  file: ModelFile,
  { sha256 }: ModelFileDestination,
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
  destination: ModelFileDestination,
  onProgress: (progress: ImportProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  await prepareVolume(docker, destination, onProgress, signal);
  const part = `.${destination.file}.${newRun()}.part`;
  const hash = createHash('sha256');
  try {
    await carry(docker, destination, async (archive) => {
      const entry = archive.entry({ name: part, size, ...APPS_USER, mode: 0o644 });
      await pipeline(createReadStream(file.path), counted(size, 'sending', hash, onProgress), entry, { signal });
    });
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

function mismatch(file: ModelFile, message: string): RagdockError {
  return new RagdockError({ code: 'MODEL_FILE_MISMATCH', file: file.shown, message });
}
