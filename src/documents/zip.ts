import { inflateRawSync } from 'node:zlib';
import { DocumentFault } from './fault.js';

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const LONGEST_COMMENT = 0xffff;
const STORED = 0;
const DEFLATED = 8;

/** More files than any document of an office program has. */
const MOST_ENTRIES = 10_000;

/**
 * Unpacks the parts of an archive to learn their true size, because the one that it declares may be a lie, and gives it up
 * as soon as they exceed the limit together.
 *
 * @param limit bytes
 * @throws DocumentFault DOCUMENT_TOO_LARGE, or DOCUMENT_DAMAGED for what is no ZIP archive
 */
export function limitUnpacked(archive: Buffer, isRead: (name: string) => boolean, limit: number): void {
  try {
    let rest = limit;
    for (const { name, method, start, size } of entriesOf(archive)) {
      if (!isRead(name)) continue;
      const packed = archive.subarray(start, start + size);
      rest -= method === STORED ? packed.length : unpackedSize(packed, rest);
      if (rest < 0) throw tooMuch(limit);
    }
  } catch (error) {
    if (error instanceof DocumentFault) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooMuch(limit);
    throw new DocumentFault('DOCUMENT_DAMAGED', `is no whole ZIP archive: ${(error as Error).message}`, undefined, {
      cause: error,
    });
  }
}

function unpackedSize(packed: Buffer, limit: number): number {
  return inflateRawSync(packed, { maxOutputLength: Math.max(1, limit) }).length;
}

function* entriesOf(archive: Buffer) {
  const end = findEnd(archive);
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  if (count > MOST_ENTRIES) throw new Error(`it has ${count} files`);
  for (let index = 0; index < count; index += 1) {
    if (archive.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new Error('its list of files is damaged');
    const method = archive.readUInt16LE(at + 10);
    if (method !== STORED && method !== DEFLATED) throw new Error(`it is packed by method ${method}`);
    const nameLength = archive.readUInt16LE(at + 28);
    const local = archive.readUInt32LE(at + 42);
    yield {
      name: archive.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength),
      method,
      size: archive.readUInt32LE(at + 20),
      start: local + LOCAL_BYTES + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28),
    };
    at += ENTRY_BYTES + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
}

function findEnd(archive: Buffer): number {
  const first = Math.max(0, archive.length - END_BYTES - LONGEST_COMMENT);
  for (let at = archive.length - END_BYTES; at >= first; at -= 1) {
    if (archive.readUInt32LE(at) === END_SIGNATURE) return at;
  }
  throw new Error('it has no list of files');
}

function tooMuch(limit: number): DocumentFault {
  return new DocumentFault('DOCUMENT_TOO_LARGE', `its text takes more than ${limit} bytes when it is unpacked`);
}
