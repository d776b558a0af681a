import { readFileSync } from 'node:fs';
import { isMap, isScalar, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import { writeAtomically } from '../../config/write-file.js';

/**
 * Promise another version of a secret, as a change of the text: order, comments and every other byte stay as they are.
 *
 * @param path absolute path of a lock file that has been read without a problem and promises this secret
 * @param fingerprint of the version's value; undefined where values are of one machine, and the lock has none
 */
export function writeVersion(path: string, name: string, version: number, fingerprint: string | undefined): void {
  const text = readFileSync(path, 'utf8');
  const promise = parseDocument(text).getIn(['secrets', name], true);
  const versionNow = isMap(promise) ? scalarOf(promise, 'version') : undefined;
  if (!isMap(promise) || versionNow === undefined) throw new Error('a promise without a version has passed the schema');
  const known = scalarOf(promise, 'fingerprint');
  const changes = [
    { ...rangeOf(versionNow), put: String(version) },
    ...(known && fingerprint !== undefined ? [{ ...rangeOf(known), put: fingerprint }] : []),
  ];
  let written = text;
  // From the end on, so that the places before stay where they are.
  for (const { start, end, put } of changes.sort((a, b) => b.start - a.start)) {
    written = written.slice(0, start) + put + written.slice(end);
  }
  writeAtomically(path, written);
}

function scalarOf(promise: YAMLMap, key: string): Scalar | undefined {
  const pair = promise.items.find((item) => isScalar(item.key) && item.key.value === key);
  return isScalar(pair?.value) ? pair.value : undefined;
}

function rangeOf({ range }: Scalar): { readonly start: number; readonly end: number } {
  const [start = 0, end = 0] = range ?? [];
  return { start, end };
}
