import { createHash } from 'node:crypto';

/** SHA-256 of the parts, in hexadecimal. A part cannot reach into the next one. */
export function hashOf(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('hex');
}

/** Namespace of the ids of passages; a random UUID, fixed for ever. */
const NAMESPACE = Buffer.from('6f0d1c3a9b7e4f42a4d5e0c8527b91f6', 'hex');

/**
 * Id of a passage: a UUID of version 5 (RFC 9562), so that the same content at the same place is the same point
 * however often it is ingested, and any other is another.
 */
export function passageId(course: string, source: string, chunk: number, contentHash: string): string {
  const name = hashOf(course, source, String(chunk), contentHash);
  const bytes = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
