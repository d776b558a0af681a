import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/folder.js';

/** Path, without version, of a secret that is there for as long as the test. */
export function secretFile(value: string): string {
  const path = join(temporaryFolder(), 'some-key');
  writeFileSync(`${path}.v1`, value);
  return path;
}
