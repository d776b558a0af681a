import { constants } from 'node:fs';
import { access, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { JobFailure, type Report } from './job.js';

interface Tally {
  changed: number;
  kept: number;
  readonly closed: string[];
}

/**
 * Gives folders and all that is in them to a user and group. Runs as root with no capability but CHOWN: it may give
 * away anything, but enters only what its permission bits let root enter.
 *
 * @param args - `UID:GID`, then absolute paths
 */
export async function giveOwnership(args: readonly string[], report: Report): Promise<void> {
  const [owner, ...paths] = args;
  const [, uid, gid] = /^(\d{1,9}):(\d{1,9})$/.exec(owner ?? '') ?? [];
  if (uid === undefined || gid === undefined || paths.length === 0) {
    throw new JobFailure(`expected UID:GID PATH…, got ${args.join(' ') || 'nothing'}`);
  }
  for (const path of paths) {
    const tally: Tally = { changed: 0, kept: 0, closed: [] };
    try {
      await give(path, Number(uid), Number(gid), tally);
    } catch (error) {
      throw new JobFailure(`${path} could not be given to ${owner}: ${(error as Error).message}`, { cause: error });
    }
    report(`${path}: ${tally.changed} given to ${owner}, ${tally.kept} were already`);
    for (const folder of tally.closed) report(`${folder}: belongs to ${uid} and is closed to others; not looked into`);
  }
}

/** The content comes before its folder: once given away, a folder with mode 0700 would be closed to us. */
async function give(path: string, uid: number, gid: number, tally: Tally): Promise<void> {
  const found = await lstat(path);
  let owned = found.uid === uid && found.gid === gid;
  if (found.isDirectory()) {
    if (await isClosed(path)) {
      // Its owner's own data, perhaps in use at this moment: taking it away, be it for a second, could break it.
      if (found.uid === uid) {
        tally.closed.push(path);
        if (!owned) await lchown(path, uid, gid);
        return;
      }
      await lchown(path, process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
      owned = false;
    }
    for (const name of await readdir(path)) await give(join(path, name), uid, gid, tally);
  }
  if (owned) {
    tally.kept += 1;
    return;
  }
  await lchown(path, uid, gid);
  tally.changed += 1;
}

async function isClosed(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.R_OK | constants.X_OK);
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return true;
    throw error;
  }
}
