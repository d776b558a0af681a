import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import type { Pack } from 'tar-stream';
import { RagdockError } from '../errors/problem.js';
import { hubPaths } from './hub-cache.js';
import { carry, FOLDER, type ImportProgress, inVolume, prepareVolume } from './model-carrier.js';
import { type FolderFile, isCommit } from './model-folder.js';
import type { ModelFolderDestination } from './model-import.js';
import { newRun } from './session.js';

/** Where files wait in the part until all of them are there. */
const FILES = 'files';

/**
 * Gives what was sent its place. The marker goes first and comes last: whenever this ends in between, the model counts
 * as missing, and its job or another import provides it again.
 */
const FINISH = `
cd "$1"; part="$2" snapshot="$3" marker="$4" ref="$5"
rm -f "$marker"
rm -rf "$snapshot"
mv "$part/${FILES}" "$snapshot"
[ -z "$ref" ] || mv -f "$part/ref" "$ref"
mv -f "$part/marker" "$marker"
rm -rf "$part"
`.trim();

/**
 * Bring the files of a model into its volume, as a cache of Hugging Face, for the server's user. Until all of them are
 * there they are in a folder that no server and no job looks at.
 *
 * A branch or tag without its history has no commit; the hash of all files takes its place, so that the same files
 * have the same place.
 *
 * @returns the commit under which they are found
 */
export async function importModelFolder(
  docker: Docker,
  files: readonly FolderFile[],
  destination: ModelFolderDestination,
  onProgress: (progress: ImportProgress) => void,
  signal: AbortSignal,
): Promise<string> {
  const { repository, revision, owner } = destination;
  await prepareVolume(docker, destination, onProgress, signal);
  const part = `.import-${newRun()}.part`;
  let commit = revision;
  try {
    await carry(docker, destination, async (archive) => {
      const writer = new Writer(archive, owner, signal);
      const of = files.reduce((sum, { size }) => sum + size, 0);
      let done = 0;
      const hash = createHash('sha256');
      const onBytes = (bytes: number): void => {
        done += bytes;
        onProgress({ step: 'sending', done, of });
      };
      for (const folder of foldersOf(files)) await writer.folder(`${part}/${folder}`);
      for (const file of files) {
        const content = await writer.file(`${part}/${FILES}/${file.name}`, file, onBytes);
        hash.update(`${file.name}\0${content.digest('hex')}\n`);
      }
      if (!isCommit(revision)) commit = hash.digest('hex').slice(0, 40);
      const { folders, snapshot } = hubPaths(repository, revision, commit);
      for (const folder of folders) await writer.folder(folder);
      await writer.text(`${part}/ref`, commit);
      await writer.text(`${part}/marker`, snapshot);
    });
    const { snapshot, marker, ref = '' } = hubPaths(repository, revision, commit);
    const script = ['/bin/sh', '-euc', FINISH, 'finish-import', FOLDER, part, snapshot, marker, ref];
    await inVolume(docker, destination, script);
  } catch (error) {
    // Best effort, because the cause matters more: what may be left has a name that nobody reads.
    await inVolume(docker, destination, ['rm', '-rf', `${FOLDER}/${part}`]).catch(() => undefined);
    throw error;
  }
  return commit;
}

/** Folders of the part, a folder before what is in it. */
function foldersOf(files: readonly FolderFile[]): readonly string[] {
  const folders = files.flatMap(({ name }) => {
    const parts = `${FILES}/${name}`.split('/').slice(0, -1);
    return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  });
  return ['', ...new Set(folders)];
}

/** Puts entries into an archive, all for one owner. */
class Writer {
  readonly #common: { readonly uid: number; readonly gid: number };

  constructor(
    readonly archive: Pack,
    owner: { readonly uid: number; readonly gid: number },
    readonly signal: AbortSignal,
  ) {
    this.#common = { uid: owner.uid, gid: owner.gid };
  }

  folder(name: string): Promise<void> {
    return this.#whole({ name: name.replace(/\/$/, ''), type: 'directory', mode: 0o755 });
  }

  text(name: string, text: string): Promise<void> {
    return this.#whole({ name, mode: 0o644 }, text);
  }

  /** @returns the hash of what was sent, not yet digested */
  async file(name: string, { path, size }: FolderFile, onBytes: (bytes: number) => void): Promise<Hash> {
    const hash = createHash('sha256');
    const entry = this.archive.entry({ ...this.#common, name, size, mode: 0o644 });
    let sent = 0;
    const watched = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of source) {
        sent += chunk.length;
        if (sent > size) throw changed(path);
        hash.update(chunk);
        onBytes(chunk.length);
        yield chunk;
      }
      if (sent < size) throw changed(path);
    };
    await pipeline(createReadStream(path), watched, entry, { signal: this.signal });
    return hash;
  }

  #whole(header: { name: string; type?: 'directory'; mode: number }, text = ''): Promise<void> {
    return new Promise((resolve, reject) => {
      this.archive.entry({ ...this.#common, ...header }, text, (error) => (error ? reject(error) : resolve()));
    });
  }
}

function changed(path: string): RagdockError {
  const message = 'it was changed while it was sent';
  return new RagdockError({ code: 'MODEL_FOLDER_INCOMPLETE', file: path, message });
}
