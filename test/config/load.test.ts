import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listEnvironments } from '../../config/environment-files.js';
import { inspectEnvironments, loadEnvironment, loadEnvironments } from '../../config/load.js';
import { printSettings } from '../../config/print.js';
import { RagdockError } from '../../src/errors/problem.js';
import { brief, problemsOf } from './problems.js';
import { changed, MINIMAL, project, put } from './project.js';

const BASE = `schema: 1
template: true
host:
  networkPool: 10.9.0.0/20
services:
  api:
    courses: [from, base]
    limits:
      idleSeconds: 10
      totalSeconds: 20
      firstTokenSeconds: 5
`;

/** The problems of loading, as `brief` shows them. */
function failing(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof RagdockError) return error.problems.map(brief);
    throw error;
  }
  return [];
}

describe('one environment', () => {
  test('by name or by path, with every default, frozen at every level', () => {
    const cwd = project({ 'dev.yaml': MINIMAL });
    const byName = loadEnvironment('dev', { cwd });
    expect(byName).toMatchObject({ name: 'dev', file: 'config/environments/dev.yaml', lock: undefined });
    expect(byName.settings.services).toMatchObject({
      postgres: { memory: 1024, settings: { shared_buffers: '256MB' } },
      llm: { main: { contextLength: 8192, memory: 2048 } },
      api: { collections: { BD_curs_data: { language: 'russian', limit: 3 } } },
      webBot: { publish: { port: 8080, address: '127.0.0.1' } },
    });
    for (const path of ['./config/environments/dev.yaml', join(cwd, 'config/environments/dev.yaml')]) {
      expect(loadEnvironment(path, { cwd })).toEqual({ ...byName, lockPlaceOf: undefined });
    }
    expect(frozenThroughout(byName)).toBe(true);
  });

  test('what is printed with all defaults reads as the same settings', () => {
    const cwd = project({
      'base.yaml': BASE,
      'dev.yaml': `extends: base.yaml\n${changed(['    courses: [demo]', '    noContext: general'])}`,
    });
    const { settings } = loadEnvironment('dev', { cwd });
    put(cwd, 'config/environments/printed.yaml', printSettings(settings));
    const { extends: _, ...resolved } = settings;
    expect(loadEnvironment('printed', { cwd }).settings).toEqual(resolved);
    expect(printSettings(settings)).toMatch(/^ {4}memory: 1GiB$/m);
  });

  test.each([
    ['dve', 'ENVIRONMENT_UNKNOWN', /dve\.yaml does not exist/, 'Did you mean `dev`?'],
    ['config/environments/deb.yaml', 'ENVIRONMENT_UNKNOWN', /deb\.yaml does not exist/, 'Did you mean `dev`?'],
    ['production', 'ENVIRONMENT_UNKNOWN', /production\.yaml does not exist/, 'Known: dev.'],
    ['base', 'ENVIRONMENT_UNKNOWN', /base\.yaml is a template/, 'Known: dev.'],
    ['dev.lock.yaml', 'ENVIRONMENT_UNKNOWN', /dev\.lock\.yaml is a lock file/, 'Did you mean `dev`?'],
    ['./config', 'FILE_UNREADABLE', /is not a regular file/, undefined],
    ['./config/loop.yaml', 'FILE_UNREADABLE', /is not a regular file|itself/, undefined],
  ])('%s is told as %s', (name, code, message, remedy) => {
    const cwd = project({ 'base.yaml': BASE, 'dev.yaml': MINIMAL });
    mkdirSync(join(cwd, 'config/loop.yaml'));
    const [problem, ...more] = inspectEnvironments([name], { cwd }).problems;
    expect(problem).toMatchObject({ code, message: expect.stringMatching(message), ...(remedy && { remedy }) });
    expect(more).toEqual([]);
  });

  test('a pipe is refused instead of waited for', () => {
    const cwd = project({ 'dev.yaml': MINIMAL });
    execFileSync('mkfifo', [join(cwd, 'config/environments/pipe.yaml')]);
    expect(failing(() => loadEnvironment('pipe', { cwd }))).toEqual([
      'FILE_UNREADABLE pipe.yaml'.replace('pipe', 'pipe'),
    ]);
  });
});

describe('extends', () => {
  test('mappings merge at every level, lists and values are replaced', () => {
    const dev = `${MINIMAL.replace('[demo]', '[own]\n    limits: {idleSeconds: 7}')}extends: base.yaml\n`;
    const { settings } = loadEnvironment('dev', { cwd: project({ 'base.yaml': BASE, 'dev.yaml': dev }) });
    expect(settings).toMatchObject({ template: false, host: { networkPool: '10.9.0.0/20' } });
    expect(settings.services.api).toMatchObject({
      courses: ['own'],
      limits: { idleSeconds: 7, totalSeconds: 20, firstTokenSeconds: 5, concurrentStreams: 8 },
    });
  });

  test('a problem is placed in the file that it comes from', () => {
    const base = BASE.replace('10.9.0.0/20', 'here').replace('totalSeconds: 20', 'totalSeconds: 6');
    const dev = `${MINIMAL}extends: base.yaml\nhosts: 1\n`;
    expect(problemsOf(dev, { 'base.yaml': base }).map(brief)).toEqual([
      'CONFIG_UNKNOWN_KEY 14:1 hosts',
      'CONFIG_SCHEMA base.yaml:4:16 host.networkPool',
      'CONFIG_RULE base.yaml:9:20 services.api.limits.idleSeconds',
    ]);
  });

  test.each([
    ['nothing.yaml', {}, /nothing\.yaml does not exist/],
    ['../base.yaml', {}, /no name of an environment file in this folder/],
    ['/etc/base.yaml', {}, /no name of an environment file in this folder/],
    ['..', {}, /no name of an environment file in this folder/],
    ['base.yml', {}, /no name of an environment file in this folder/],
    ['dev.lock.yaml', {}, /no name of an environment file in this folder/],
    ['dev.yaml', {}, /extends itself/],
    ['other.yaml', { 'other.yaml': MINIMAL }, /other\.yaml is an environment, not a template/],
    ['base.yaml', { 'base.yaml': `${BASE}extends: more.yaml\n` }, /base\.yaml extends another file itself/],
  ])('%s cannot be extended', (name, others, message) => {
    const dev = `${MINIMAL}extends: ${name}\nhost: {dokcer: x, networkPool: 10.0.0.0/30}\n`;
    const problems = problemsOf(dev, others);
    // The base being unknown, only what the file itself says is judged.
    expect(problems.map(brief)).toEqual([
      'EXTENDS_INVALID 13:10 extends',
      'CONFIG_UNKNOWN_KEY 14:8 host.dokcer',
      'CONFIG_RULE 14:32 host.networkPool',
    ]);
    expect(problems[0]?.message).toMatch(message);
  });

  test('without its base, what is missing and what is default is not judged', () => {
    expect(
      problemsOf('schema: 1\nextends: nothing.yaml\nservices: {prometheus: {enabled: false}}\n').map(brief),
    ).toEqual(['EXTENDS_INVALID 2:10 extends']);
  });

  test('a template cannot extend another one', () => {
    const cwd = project({
      'base.yaml': BASE,
      'more.yaml': 'schema: 1\ntemplate: true\nextends: base.yaml\n',
      'dev.yaml': MINIMAL,
    });
    expect(inspectEnvironments(undefined, { cwd }).problems.map(brief)).toEqual([
      'EXTENDS_INVALID more.yaml:3:10 extends',
    ]);
  });

  test('the faults of a template are told once, however many extend it', () => {
    const cwd = project({
      'base.yaml': BASE.replace('idleSeconds: 10', 'idleSeconds: 21\n      idle: 1').concat('schema: 1\n'),
      'dev.yaml': `${MINIMAL}extends: base.yaml\n`,
      'two.yaml': `${MINIMAL}extends: base.yaml\nhost: {docker: "ssh://me@other"}\n`,
    });
    expect(inspectEnvironments(undefined, { cwd }).problems.map(brief)).toEqual([
      'YAML_DUPLICATE_KEY base.yaml:13:1',
      'CONFIG_RULE base.yaml:9:20 services.api.limits.idleSeconds',
      'CONFIG_UNKNOWN_KEY base.yaml:10:7 services.api.limits.idle',
    ]);
  });
});

describe('all environments', () => {
  test('are the .yaml files that are neither locks nor templates', () => {
    const cwd = project({ 'base.yaml': BASE, 'dev.yaml': MINIMAL, 'notes.txt': '' });
    put(cwd, 'config/environments/dev.lock.yaml', 'x');
    expect(listEnvironments(cwd)).toEqual(['dev']);
  });

  test('a broken one hides no problem of the others', () => {
    const cwd = project({
      'a.yaml': 'schema: [',
      'b.yaml': changed(['[demo]', '[]']),
      'c.yaml': Uint8Array.of(0x61, 0xff),
      'd.yaml': '',
      'e.yml': MINIMAL,
    });
    const problems = failing(() => loadEnvironments({ cwd }));
    expect(problems).toEqual([
      'CONFIG_RULE e.yml',
      'YAML_SYNTAX a.yaml:1:10',
      'CONFIG_SCHEMA b.yaml:12:14 services.api.courses',
      'FILE_NOT_UTF8 c.yaml:1:2',
      'CONFIG_SCHEMA d.yaml:1:1',
    ]);
  });

  test('none at all is a problem', () => {
    expect(failing(() => loadEnvironments({ cwd: project() }))).toEqual(['ENVIRONMENT_UNKNOWN']);
    expect(failing(() => loadEnvironments({ cwd: project({ 'base.yaml': BASE }) }))).toEqual(['ENVIRONMENT_UNKNOWN']);
    const cwd = project();
    put(cwd, 'config/environments', '');
    expect(failing(() => loadEnvironments({ cwd }))).toEqual(['FILE_UNREADABLE config/environments']);
  });

  test('claim nothing twice on one host', () => {
    const two = `${changed(['[demo]', '[demo]\n    container: one-web-bot'])}  qdrant: {volume: one-qdrant-data}\n`;
    const { environments, problems } = inspectEnvironments(undefined, {
      cwd: project({ 'one.yaml': MINIMAL, 'two.yaml': two }),
    });
    expect(environments).toHaveLength(2);
    expect(problems.map(brief)).toEqual([
      'NAME_CLASH two.yaml:1:1 host.networkPool',
      'NAME_CLASH two.yaml:13:16 services.api.container',
      'NAME_CLASH two.yaml:14:20 services.qdrant.volume',
      'NAME_CLASH two.yaml:2:1 services.webBot.publish.port',
    ]);
    expect(problems[0]).toMatchObject({
      message:
        'a part of 10.231.0.0/20 belongs to the environment one (config/environments/one.yaml:1) on the same host',
      remedy: 'Give one of them another pool, such as 10.231.16.0/20.',
    });
    expect(problems[2]?.message).toBe(
      'the volume name one-qdrant-data belongs to the environment one (config/environments/one.yaml:2) on the same host',
    );
  });

  test('mount nothing of what the engine carries to the other', () => {
    const mounts = (...names: readonly string[]) =>
      `${MINIMAL}  webBot: {publish: {port: 8081}}\nhost: {networkPool: 10.231.16.0/20}\nextraServices:\n` +
      names.map((name, index) => `  x${index}: {image: "x:1", volumes: [{name: ${name}, path: /x}]}\n`).join('');
    const cwd = (one: string, two: string) => project({ 'one.yaml': one, 'two.yaml': two });
    const later = inspectEnvironments(undefined, {
      cwd: cwd(MINIMAL, mounts('one-rag-api-secrets', 'one-postgres-roles-secrets', 'one-rag-api-secret')),
    });
    expect(later.problems.map(brief)).toEqual([
      'NAME_CLASH two.yaml:16:39 extraServices.x0.volumes.0.name',
      'NAME_CLASH two.yaml:17:39 extraServices.x1.volumes.0.name',
    ]);
    expect(later.problems[0]?.message).toBe(
      'the volume name one-rag-api-secrets belongs to the environment one (config/environments/one.yaml:11) on the same host',
    );
    const earlier = inspectEnvironments(undefined, { cwd: cwd(mounts('two-postgres-roles-secrets'), MINIMAL) });
    expect(earlier.problems.map(brief)).toEqual(['NAME_CLASH two.yaml:2:1 services.postgres.container']);
    expect(earlier.problems[0]?.message).toMatch(/two-postgres-roles-secrets belongs to the environment one/);
  });

  test('may claim the same on two hosts, and different things on one', () => {
    const elsewhere = `${MINIMAL}host: {docker: "ssh://me@other"}\n`;
    expect(loadEnvironments({ cwd: project({ 'one.yaml': MINIMAL, 'two.yaml': elsewhere }) })).toHaveLength(2);
    const beside = `${MINIMAL}  webBot: {publish: {port: 8081}}\nhost: {networkPool: 10.231.16.0/20}\n`;
    expect(loadEnvironments({ cwd: project({ 'one.yaml': MINIMAL, 'two.yaml': beside }) })).toHaveLength(2);
  });

  test('a claim in doubt clashes with nothing', () => {
    const two = `${MINIMAL}  webBot: {publish: {port: "8080"}}\nhost: {networkPool: 10.231.16.0}\n`;
    const { problems } = inspectEnvironments(undefined, { cwd: project({ 'one.yaml': MINIMAL, 'two.yaml': two }) });
    expect(problems.map(brief)).toEqual([
      'CONFIG_SCHEMA two.yaml:13:28 services.webBot.publish.port',
      'CONFIG_SCHEMA two.yaml:14:21 host.networkPool',
    ]);
  });
});

describe('the environments of this project', () => {
  const folder = new URL('../../config/environments/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml') && !file.endsWith('.lock.yaml'));

  test.each(files)('%s names the schema for editors in its first line', (file) => {
    const [first] = readFileSync(new URL(file, folder), 'utf8').split('\n');
    expect(first).toBe('# yaml-language-server: $schema=../schema.json');
  });

  test('are valid', () => {
    expect(files).toContain('dev.yaml');
    expect(inspectEnvironments(undefined, { cwd: new URL('../../', import.meta.url).pathname }).problems).toEqual([]);
  });
});

function frozenThroughout(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(frozenThroughout);
}

test('a link to nowhere is a file that does not exist', () => {
  const cwd = project({ 'dev.yaml': MINIMAL });
  symlinkSync('nowhere', join(cwd, 'config/environments/link.yaml'));
  expect(failing(() => loadEnvironments({ cwd }))).toEqual(['FILE_UNREADABLE link.yaml']);
});
