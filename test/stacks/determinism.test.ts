import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readBundle } from '../../src/apps/bundle.js';
import { ROOT } from '../support/environments.js';
import { temporaryFolder } from '../support/folder.js';
import { copyProject, runApp } from '../support/project.js';

const PLACES = [
  { folder: 'tokyo', environment: { TZ: 'Asia/Tokyo', LANG: 'ru_RU.UTF-8', LC_ALL: 'ru_RU.UTF-8' } },
  { folder: 'new/york/with spaces', environment: { TZ: 'America/New_York', LANG: 'C', LC_ALL: 'C' } },
];

test('the same input gives the same bytes, in any folder, language and time zone', async () => {
  readBundle(); // says by itself what to do when the apps have to be built
  const base = temporaryFolder();
  const outputs = await Promise.all(
    PLACES.map(async ({ folder, environment }) => {
      const project = join(base, folder);
      copyProject(project);
      const { code, stderr } = await runApp(project, { ...environment, RAGDOCK_ENV: 'dev' });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return readFileSync(join(project, 'cdktf.out/stacks/dev/cdk.tf.json'), 'utf8');
    }),
  );

  expect(outputs[0]?.length).toBeGreaterThan(10_000);
  expect(outputs[1]).toBe(outputs[0]);
  for (const folder of [base, ROOT]) expect(outputs[0]).not.toContain(folder);
}, 180_000);
