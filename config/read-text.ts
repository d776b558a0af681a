import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Problem } from '../src/errors/problem.js';

/** Largest environment or lock file, in bytes. Reading one takes well below a second, whatever is in it. */
export const MAX_BYTES = 128 * 1024;

/** The text of a file, or why there is none. */
export type TextOrProblem =
  | { readonly text: string }
  /** `missing`: there is no such file, which some callers expect. */
  | { readonly problem: Problem; readonly missing?: boolean };

/**
 * Read a small UTF-8 file. Nothing larger than `MAX_BYTES` gets into memory, and nothing but a regular file is opened,
 * because a pipe or a device may never end.
 *
 * @param file path relative to `cwd`, as problems show it
 */
export function readText(cwd: string, file: string): TextOrProblem {
  let bytes: Buffer;
  try {
    const path = resolve(cwd, file);
    if (!statSync(path).isFile())
      return { problem: { code: 'FILE_UNREADABLE', file, message: 'is not a regular file' } };
    bytes = readAtMost(path, MAX_BYTES + 1);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const problem: Problem = { code: 'FILE_UNREADABLE', file, message: REASONS[code] ?? message };
    return { problem, missing: code === 'ENOENT' };
  }
  if (bytes.length > MAX_BYTES) {
    const message = `is larger than ${MAX_BYTES / 1024} KiB`;
    return { problem: { code: 'FILE_TOO_LARGE', file, message } };
  }
  return isUtf8(bytes) ? { text: new TextDecoder('utf-8').decode(bytes) } : { problem: badEncoding(bytes, file) };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  ELOOP: 'is a symbolic link that leads to itself',
  ENOTDIR: 'lies below something that is not a folder',
  ENAMETOOLONG: 'has too long a name',
};

function readAtMost(path: string, limit: number): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(limit);
    let length = 0;
    while (length < buffer.length) {
      const read = readSync(descriptor, buffer, length, buffer.length - length, null);
      if (read === 0) break;
      length += read;
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/** Place of the first byte that is no UTF-8: lines can be told apart by their bytes in any case. */
function badEncoding(bytes: Buffer, file: string): Problem {
  if (bytes.length >= 2 && (bytes.readUInt16BE() === 0xfeff || bytes.readUInt16BE() === 0xfffe)) {
    return { code: 'FILE_NOT_UTF8', file, line: 1, column: 1, message: 'is UTF-16 by its first two bytes' };
  }
  let line = 1;
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end !== -1 && isUtf8(bytes.subarray(start, end)); line++) {
    start = end + 1;
    end = bytes.indexOf(0x0a, start);
  }
  const before = bytes.subarray(start).toString('utf8').split('\uFFFD', 1).join('');
  const bad = bytes.readUInt8(start + Buffer.byteLength(before));
  const message = `the byte 0x${bad.toString(16).toUpperCase().padStart(2, '0')} is not UTF-8 here`;
  return { code: 'FILE_NOT_UTF8', file, line, column: before.length + 1, message };
}
