import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Replace a file so that every reader, and whoever comes after a crash, finds the old content or the new one. */
export function writeAtomically(path: string, content: string): void {
  viaTemporary(path, content, (temporary) => renameSync(temporary, path));
}

/** The same for a file that only its owner may read. */
export function writePrivately(path: string, content: string | Uint8Array): void {
  viaTemporary(path, content, (temporary) => renameSync(temporary, path), 0o600);
}

/** The same for a file that is not there yet. Throws EEXIST when it is. */
export function createAtomically(path: string, content: string): void {
  // A link fails where a file is already; a new name would replace it.
  viaTemporary(path, content, (temporary) => linkSync(temporary, path));
}

function viaTemporary(
  path: string,
  content: string | Uint8Array,
  finish: (temporary: string) => void,
  mode = 0o644,
): void {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const descriptor = openSync(temporary, 'wx', mode);
    try {
      writeFileSync(descriptor, content, 'utf8');
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    finish(temporary);
  } finally {
    if (existsSync(temporary)) unlinkSync(temporary);
  }
}
