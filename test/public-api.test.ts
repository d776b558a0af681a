import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { extractApi } from '../src/api-docs/extract.js';
import { ROOT } from './support/environments.js';

// What other projects can import, with every signature, for reviewers to read: a changed one may break them.

const REVIEWED = join(ROOT, 'test/public-api/ragdock.api.md');
const HINT =
  'If the change is meant, run `UPDATE_API=1 npx vitest run test/public-api.test.ts`, review the difference, and tell users in the changelog.';

test('every signature is the one that was reviewed', { timeout: 240_000 }, () => {
  const { report } = extractApi();
  if (process.env.UPDATE_API === '1') writeFileSync(REVIEWED, report);
  const reviewed = existsSync(REVIEWED) ? readFileSync(REVIEWED, 'utf8') : '';

  expect(report, `test/public-api/ragdock.api.md says something else. ${HINT}`).toBe(reviewed);
});

test('every export and every member says what it is', () => {
  const lines = extractApi().report.split('\n');

  expect(lines.flatMap((line, index) => (line.includes('(undocumented)') ? [lines[index + 1]?.trim()] : []))).toEqual(
    [],
  );
});

test('what a signature names can be imported, too', () => {
  expect(
    extractApi()
      .report.split('\n')
      .filter((line) => line.includes('Warning:')),
  ).toEqual([]);
});
