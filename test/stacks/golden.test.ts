import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadEnvironments } from '../../config/load.js';
import { ROOT, resourcesOf, synthesiseEnvironment } from '../support/environments.js';

// What each environment of the project becomes, for reviewers to read: NAME.json in full, with the configuration files
// decoded into lines and the hash of the bundled apps made zeros; NAME.ids.txt the addresses alone. A changed address
// destroys a resource and makes it anew.

const FOLDER = join(ROOT, 'test/golden');
const UPDATE = process.env.UPDATE_GOLDEN === '1';
const HINT =
  'If the change is meant, run `UPDATE_GOLDEN=1 npx vitest run test/stacks/golden.test.ts` and review the difference.';

const environments = loadEnvironments({ cwd: ROOT });

describe.each(environments.map((environment) => [environment.name, environment] as const))(
  '%s',
  (name, environment) => {
    const synthesised = synthesiseEnvironment(environment);

    test('synthesises to what was reviewed', () => {
      agree(`${name}.json`, `${JSON.stringify(synthesised.json, readable, 2)}\n`);
    });

    test('keeps every address', () => {
      agree(
        `${name}.ids.txt`,
        [...resourcesOf(synthesised).keys()]
          .sort()
          .map((address) => `${address}\n`)
          .join(''),
      );
    });
  },
);

test('there is no golden file of an environment that is gone', () => {
  const expected = environments.flatMap(({ name }) => [`${name}.ids.txt`, `${name}.json`]);

  expect(readdirSync(FOLDER).sort()).toEqual(expected.sort());
});

function agree(file: string, actual: string): void {
  const path = join(FOLDER, file);
  if (UPDATE) writeFileSync(path, actual);
  const reviewed = existsSync(path) ? readFileSync(path, 'utf8') : '';
  expect(actual, `test/golden/${file} says something else. ${HINT}`).toBe(reviewed);
}

function readable(key: string, value: unknown): unknown {
  return key === 'content_base64' ? Buffer.from(String(value), 'base64').toString('utf8').split('\n') : value;
}
