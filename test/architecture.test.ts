import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Job, Service, Workload } from '../constructs/model/index.js';
import * as services from '../constructs/services/index.js';
import { ROOT } from './support/environments.js';
import { findCycle, type Import, importsOf, sourcesOf } from './support/imports.js';

const sources = sourcesOf(['config', 'constructs', 'dashboards', 'src', 'stacks']);
const imports = importsOf(sources);

/** `config`, `constructs/model`, `src/rag`; files beside those folders are in `constructs/` and `src/`. */
function areaOf(path: string): string {
  const [top = '', second, ...rest] = path.split('/');
  if (top !== 'constructs' && top !== 'src') return top;
  return rest.length > 0 ? `${top}/${second}` : `${top}/`;
}

/** Files that import something. */
const importersOf = (matches: (target: string) => boolean): readonly string[] => [
  ...new Set(imports.filter(({ to }) => matches(to)).map(({ from }) => from)),
];

/** What the files of an area import: other areas, and packages by name. */
const importedBy = (area: string): readonly string[] =>
  [
    ...new Set(
      imports
        .filter(({ from }) => areaOf(from) === area)
        .map(({ to }) => (sources.has(to) ? areaOf(to) : to))
        .filter((target) => target !== area),
    ),
  ].sort();

const package_ = (name: string) => (target: string) => target === name || target.startsWith(`${name}/`);

test('every relative import leads to a file of the project', () => {
  expect(imports.length).toBeGreaterThan(100);
  expect(
    imports.filter(({ to }) => /^(config|constructs|dashboards|src|stacks)\//.test(to) && !sources.has(to)),
  ).toEqual([]);
});

describe('what imports what', () => {
  test('the Docker provider is imported by the Docker engine alone', () => {
    const importers = importersOf(package_('@cdktf/provider-docker'));

    expect(importers).not.toEqual([]);
    expect(importers.filter((file) => !file.startsWith('constructs/engines/docker/'))).toEqual([]);
  });

  test('the framework is imported in one place', () => {
    expect(importersOf(package_('cdktf'))).toEqual(['constructs/tf.ts']);
  });

  test('the model knows constructs and failures, and nothing else', () => {
    expect(importedBy('constructs/model')).toEqual(['constructs', 'src/errors']);
  });

  test('services know the model and the settings of the bundled apps, and no engine and no stack', () => {
    const areas = importedBy('constructs/services');

    expect(areas).toContain('constructs/model');
    expect(
      areas.filter((area) => /^(constructs\/engines|stacks|config|src\/(cli|rag|operator|secrets))$/.test(area)),
    ).toEqual([]);
    const ofApps = imports.filter(
      ({ from, to }) => areaOf(from) === 'constructs/services' && areaOf(to) === 'src/apps',
    );
    expect(ofApps.filter(({ to }) => !to.endsWith('/settings.ts'))).toEqual([]);
  });

  test('the bundled apps know nothing of stacks, engines and environments', () => {
    expect(
      importedBy('src/apps').filter((area) =>
        /^(config|stacks|constructs\/.+|src\/(cli|operator|secrets))$/.test(area),
      ),
    ).toEqual([]);
    expect(
      imports.filter(({ from, to }) => areaOf(from) === 'src/apps' && to.startsWith('constructs/')).map(({ to }) => to),
    ).toEqual(['constructs/images.ts']);
  });
});

test('the process’s environment is read at the edges alone', () => {
  const readers = [...sources].filter(([, text]) => /\bprocess\.env\b/.test(text)).map(([path]) => path);

  expect(readers).toContain('src/main.ts');
  expect(readers.filter((path) => !/^(config|src\/cli|src\/apps)\/|^src\/main\.ts$/.test(path))).toEqual([]);
});

describe('no circles', () => {
  /** Edges between areas that close a circle, and why they stay. */
  const ACCEPTED: Readonly<Record<string, string>> = {
    'src/operator → src/cli': 'shows progress on the terminal that the command line hands it; imports its type alone',
  };

  const betweenAreas = imports
    .filter(({ to }) => sources.has(to))
    .map(({ from, to }) => [areaOf(from), areaOf(to)] as const)
    .filter(([from, to]) => from !== to);
  const accepted = ([from, to]: readonly [string, string]): boolean => `${from} → ${to}` in ACCEPTED;

  test('between areas, but for those that say why', () => {
    expect(findCycle(betweenAreas.filter((edge) => !accepted(edge)))).toBeUndefined();
  });

  test('and no exception that is none', () => {
    for (const edge of Object.keys(ACCEPTED)) {
      const others = betweenAreas.filter((it) => !accepted(it) || `${it[0]} → ${it[1]}` === edge);
      expect(findCycle(others), `${edge} closes no circle any more`).toBeDefined();
    }
  });

  test('between files when the program runs', () => {
    const atRunTime = imports.filter(({ to, typeOnly }: Import) => !typeOnly && sources.has(to));

    expect(findCycle(atRunTime.map(({ from, to }) => [from, to]))).toBeUndefined();
  });
});

describe('pages', () => {
  const exported = Object.entries(services).filter(([, value]) => value.prototype instanceof Workload);
  const headings = (page: string) =>
    readFileSync(join(ROOT, 'docs/services', `${page}.md`), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('#'));

  test.each(exported.filter(([, value]) => value.prototype instanceof Service).map(([name]) => name))(
    '%s has one of its own',
    (name) => {
      expect(headings(name.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase())).toContain(`# ${name}`);
    },
  );

  test.each(exported.filter(([, value]) => value.prototype instanceof Job).map(([name]) => name))(
    '%s is on the page of the jobs',
    (name) => {
      expect(headings('setup-jobs')).toContain(`## ${name}`);
    },
  );
});

test('a circle is found where there is one', () => {
  expect(
    findCycle([
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'b'],
    ]),
  ).toEqual(['b', 'c', 'b']);
  expect(
    findCycle([
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'c'],
    ]),
  ).toBeUndefined();
});
