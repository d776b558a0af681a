import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { ROOT } from '../support/environments.js';
import { importsOf } from '../support/imports.js';

const packed = inject('packed');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

test.each([
  'package.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'config/schema.json',
  'dist/src/index.js',
  'dist/src/index.d.ts',
  'dist/src/cli/main.js',
  'dist/apps/Dockerfile',
  'dist/apps/carrier.Dockerfile',
  'dist/apps/ragdock-apps.mjs',
  'dist/apps/health.mjs',
  'dist/apps/static/index.html',
  'docs/library.md',
  'docs/errors.md',
  'docs/api/README.md',
  'docs/examples/environment.ts',
])('it holds %s', (file) => {
  expect(packed).toContain(file);
});

test('it holds nothing but the build, its documentation and the schema', () => {
  const known =
    /^(dist\/.+|docs\/.+\.(md|svg|json)|docs\/examples\/[a-z-]+\.ts|config\/schema\.json|(README|CHANGELOG)\.md|LICENSE|package\.json)$/;

  expect(packed.filter((file) => !known.test(file))).toEqual([]);
});

test('every module in it was built from a source that is there', () => {
  const modules = packed.filter((file) => /^dist\/(?!apps\/)/.test(file));

  expect(modules.length).toBeGreaterThan(200);
  expect(modules.filter((file) => !existsSync(join(ROOT, sourceOf(file))))).toEqual([]);
});

test('what it imports is built into Node or among its dependencies, and every dependency is imported', () => {
  const modules = packed.filter((file) => /^dist\/(?!apps\/).+\.js$/.test(file));
  const imports = importsOf(new Map(modules.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')])));
  const packages = imports.flatMap(({ to }) => (to.startsWith('dist/') || isBuiltin(to) ? [] : [packageOf(to)]));

  expect([...new Set(packages)].sort()).toEqual(Object.keys(manifest.dependencies).sort());
});

/** `config/load.ts` for `dist/config/load.js` and for `dist/config/load.d.ts`. */
const sourceOf = (file: string): string => file.replace(/^dist\//, '').replace(/(\.d\.ts|\.js)$/, '.ts');

/** `@cdktf/provider-docker` of a path in it. */
const packageOf = (target: string): string => /^(@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target;
