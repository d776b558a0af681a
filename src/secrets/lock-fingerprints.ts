import { readFileSync } from 'node:fs';
import { isMap, isScalar, parseDocument } from 'yaml';
import { writeAtomically } from '../../config/write-file.js';

/**
 * Write fingerprints into a lock file as text, so that order, comments and every other byte stay as they are.
 *
 * @param path absolute path of a lock file that has been read without a problem
 */
export function writeFingerprints(path: string, fingerprints: ReadonlyMap<string, string>): void {
  if (fingerprints.size === 0) return;
  const text = readFileSync(path, 'utf8');
  const document = parseDocument(text);
  const changes = [...fingerprints].map(([name, fingerprint]) =>
    changeOf(text, document.getIn(['secrets', name], true), fingerprint),
  );
  let written = text;
  // From the end on, so that the places before stay where they are.
  for (const { start, end = start, added } of changes.sort((a, b) => b.start - a.start)) {
    written = written.slice(0, start) + added + written.slice(end);
  }
  writeAtomically(path, written);
}

interface Change {
  readonly start: number;
  /** @default - nothing is taken away */
  readonly end?: number;
  readonly added: string;
}

/**
 * Where the promise of a secret is continued, and how: in the place of another fingerprint, else on a line of its own, or
 * in braces behind the version.
 */
function changeOf(text: string, promise: unknown, fingerprint: string): Change {
  const entryOf = (name: string) =>
    isMap(promise) ? promise.items.find(({ key }) => isScalar(key) && key.value === name) : undefined;
  const version = entryOf('version');
  if (!isMap(promise) || !isScalar(version?.key) || !isScalar(version.value)) {
    throw new Error('a promise without a version has passed the schema');
  }
  const known = entryOf('fingerprint')?.value;
  if (isScalar(known)) {
    const [start = 0, end = start] = known.range ?? [];
    return { start, end, added: fingerprint };
  }
  const entry = `fingerprint: ${fingerprint}`;
  const [keyStart = 0] = version.key.range ?? [];
  const [, valueEnd = 0] = version.value.range ?? [];
  if (promise.flow) return { start: valueEnd, added: `, ${entry}` };
  const indent = keyStart - (text.lastIndexOf('\n', keyStart) + 1);
  const rest = text.slice(valueEnd).search(/\r?\n|$/);
  return { start: valueEnd + rest, added: `\n${' '.repeat(indent)}${entry}` };
}
