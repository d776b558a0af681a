import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Project } from './project.js';

/** What every planted value begins with. It has a `.` and is followed by a `~`, which some encodings change. */
export const MARK = 'c4n4ry.';

/** A value that nobody has by chance, and that is told from others by its first 14 characters. @param mark 7 of them */
export const marked = (mark = MARK): string =>
  `${mark}${randomBytes(3).toString('hex')}~${randomBytes(18).toString('base64url')}`;

/** Give every secret that is stored, and not deployed yet, a value that can be recognised by any piece of it. */
export function markSecrets({ secretsFolder }: Project): void {
  for (const file of readdirSync(secretsFolder)) writeFileSync(join(secretsFolder, file), marked());
}
