import { readFileSync } from 'node:fs';
import { isMap, isScalar, parseDocument } from 'yaml';
import { writeAtomically } from '../../config/write-file.js';

/**
 * Add fingerprints to a lock file as text, so that order, comments and every other byte stay as they are.
 *
 * @param path absolute path of a lock file that has been read without a problem and has none of these fingerprints
 */
export function writeFingerprints(path: string, fingerprints: ReadonlyMap<string, string>): void {
  if (fingerprints.size === 0) return;
  const text = readFileSync(path, 'utf8');
  const document = parseDocument(text);
  const insertions = [...fingerprints].map(([name, fingerprint]) => {
    const [start, added] = insertion(text, document.getIn(['secrets', name], true), `fingerprint: ${fingerprint}`);
    return { start, added };
  });
  let written = text;
  // From the end on, so that the places before stay where they are.
  for (const { start, added } of insertions.sort((a, b) => b.start - a.start)) {
    written = written.slice(0, start) + added + written.slice(start);
  }
  writeAtomically(path, written);
}

/** Where the promise of a secret is continued, and how: on a line of its own, or in braces behind the version. */
function insertion(text: string, promise: unknown, entry: string): readonly [start: number, added: string] {
  const version = isMap(promise)
    ? promise.items.find(({ key }) => isScalar(key) && key.value === 'version')
    : undefined;
  if (!isMap(promise) || !isScalar(version?.key) || !isScalar(version.value)) {
    throw new Error('a promise without a version has passed the schema');
  }
  const [keyStart = 0] = version.key.range ?? [];
  const [, valueEnd = 0] = version.value.range ?? [];
  if (promise.flow) return [valueEnd, `, ${entry}`];
  const indent = keyStart - (text.lastIndexOf('\n', keyStart) + 1);
  const rest = text.slice(valueEnd).search(/\r?\n|$/);
  return [valueEnd + rest, `\n${' '.repeat(indent)}${entry}`];
}
