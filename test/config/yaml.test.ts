import { describe, expect, test } from 'vitest';
import { plain } from '../../config/located.js';
import { MAX_BYTES } from '../../config/read-text.js';
import { parseYaml } from '../../config/yaml.js';
import { brief, problemsOf } from './problems.js';
import { MINIMAL } from './project.js';

const N = MAX_BYTES;
describe('a file that is no readable YAML ends in one clear problem', () => {
  test.each<[string, string | Uint8Array, string, RegExp]>([
    ['tab', `${MINIMAL}host:\n\tdocker: unix:///x\n`, 'YAML_SYNTAX 14:1', /tab/],
    ['quote that is never closed', `${MINIMAL}host: "abc\nsecrets: {}\n`, 'YAML_SYNTAX 13:7', /never closed/],
    ['key without colon', `${MINIMAL}host\nsecrets: {}\n`, 'YAML_SYNTAX 13:1', /no `: ` after it/],
    ['indentation', `${MINIMAL}host:\n   docker: unix:///x\n  networkPool: x\n`, 'YAML_SYNTAX 15:1', /same column/],
    ['reserved character', `${MINIMAL}host:\n  docker: @x\n`, 'YAML_SYNTAX 14:11', /reserved character @/],
    ['second colon', `${MINIMAL}host: a: b\n`, 'YAML_SYNTAX 13:7', /second `: `/],
    ['second document', `${MINIMAL}---\nschema: 1\n`, 'YAML_SYNTAX 13:1', /second document/],
    ['unknown anchor', `${MINIMAL}host: *nowhere\n`, 'YAML_SYNTAX 13:7', /no anchor &nowhere/],
    ['tag', `${MINIMAL}extraServices: !!set {}\n`, 'YAML_SYNTAX 13:16', /tags/],
    ['YAML 1.1', `%YAML 1.1\n---\n${MINIMAL}`, 'YAML_SYNTAX 1:1', /1\.1/],
    ['merge key', `${MINIMAL}host:\n  <<: {}\n`, 'YAML_SYNTAX 14:3', /merge keys/],
    ['key that is a list', `${MINIMAL}[a]: 1\n`, 'YAML_SYNTAX 13:1', /no plain text/],
    ['NUL', `${MINIMAL}host: \0\n`, 'YAML_SYNTAX 13:7', /U\+0000/],
    ['escape sequence of a terminal', `${MINIMAL}# \u001b[2J\n`, 'YAML_SYNTAX 13:3', /U\+001B/],
    ['10,000 lists in each other', `a: ${'['.repeat(10_000)}${']'.repeat(10_000)}`, 'YAML_SYNTAX 1:68', /64 levels/],
    ['65,000 open lists', '['.repeat(N / 2), 'YAML_SYNTAX 1:66', /64 levels/],
    ['sequences in each other on a line', `${'- '.repeat(60_000)}x`, 'YAML_SYNTAX 1:131', /64 levels/],
    ['explicit keys in each other', `${'? '.repeat(60_000)}x`, 'YAML_SYNTAX 1:131', /64 levels/],
    ['thousands of aliases', `x: [&a 1${', *a'.repeat(N / 4 - 10)}]`, 'YAML_ALIASES 1:4011', /1000/],
    ['alias inside what it names', 'a: &x [1, *x]\n', 'YAML_ALIASES 1:11', /stands inside/],
    ['empty file', '', 'CONFIG_SCHEMA 1:1', /no settings/],
    ['comments alone', '# nothing\n', 'CONFIG_SCHEMA 1:1', /no settings/],
    ['list', '- schema: 1\n', 'CONFIG_SCHEMA 1:1', /a list/],
    ['single value', '\n  schema\n', 'CONFIG_SCHEMA 2:3', /single value/],
    ['10 MB', 'a: 1\n'.repeat(2_000_000), 'FILE_TOO_LARGE', /128 KiB/],
    ['one byte too much', 'x'.repeat(N + 1), 'FILE_TOO_LARGE', /128 KiB/],
    ['windows-1251', Buffer.from([...Buffer.from('schema: 1\nhost: '), 0xcf, 0xf0]), 'FILE_NOT_UTF8 2:7', /0xCF/],
    ['half a character at the end', Buffer.from('schema: 1\nключ: я').subarray(0, -1), 'FILE_NOT_UTF8 2:7', /0xD1/],
    ['UTF-16', Buffer.from('\ufeffschema: 1', 'utf16le'), 'FILE_NOT_UTF8 1:1', /UTF-16/],
  ])('%s', (_name, content, where, message) => {
    const problems = problemsOf(content);
    expect(problems.map(brief)).toEqual([where]);
    expect(problems[0]?.message).toMatch(message);
  });
});

test('an alias bomb is stopped where it grows, and adds nothing to the problems', () => {
  const levels = Array.from(
    { length: 40 },
    (_, i) => `  a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`,
  );
  const problems = problemsOf(['bomb:', '  a0: &a0 [x, x, x, x, x, x, x, x, x]', ...levels].join('\n'));
  expect(problems.map(brief)).toEqual(['CONFIG_UNKNOWN_KEY 1:1 bomb', 'YAML_ALIASES 5:12']);
  expect(problems[1]?.message).toBe('with *a2, the aliases add more than 1000 values');
});

describe('hostile text of full size ends in bounded time with few problems', () => {
  test.each([
    ['one key again and again', 'a: 1\n'.repeat(N / 5)],
    ['different keys', Array.from({ length: 18_000 }, (_, i) => `k${i}: 1`).join('\n')],
    ['tabs', '\ta: 1\n'.repeat(N / 6)],
    ['closing braces', '}'.repeat(N)],
    ['documents', '---\n'.repeat(N / 4)],
    ['anchors', '&a '.repeat(N / 3)],
    ['bad escapes', `a: "${'\\q'.repeat(N / 2 - 3)}"`],
    ['unclosed mappings', '{a'.repeat(N / 2)],
    ['a flow of pairs', `{${'a: 1, '.repeat(N / 6 - 1)}}`],
  ])('%s', (_name, content) => {
    const problems = problemsOf(content);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThanOrEqual(101);
    for (const problem of problems) expect(problem.message.length).toBeLessThan(500);
  });
});

test('a repeated key is told at its second place, for every repetition', () => {
  const content = 'schema: 1\nhost:\n  docker: a\n  docker: b\n  docker: c\nschema: 1\n';
  expect(parseYaml(content, 'x').problems.map(brief)).toEqual([
    'YAML_DUPLICATE_KEY x:4:3',
    'YAML_DUPLICATE_KEY x:5:3',
    'YAML_DUPLICATE_KEY x:6:1',
  ]);
});

test('__proto__ is a key like any other that nobody knows', () => {
  expect(problemsOf(`__proto__:\n  template: true\n${MINIMAL}`).map(brief)).toEqual(['CONFIG_UNKNOWN_KEY 1:1']);
  const nested = problemsOf(`${MINIMAL}extraServices:\n  x:\n    image: a:1\n    environment:\n      __proto__: a\n`);
  expect(nested.map(brief)).toEqual(['CONFIG_UNKNOWN_KEY 17:7']);
  expect(({} as Record<string, unknown>).template).toBeUndefined();
});

test('an anchor that is named again counts from there on', () => {
  const { root, problems } = parseYaml('a: &x 1\nb: *x\nc: &x {d: 2}\ne: *x\n', 'x');
  expect(problems).toEqual([]);
  expect(root && plain(root)).toEqual({ a: 1, b: 1, c: { d: 2 }, e: { d: 2 } });
});

test.each([
  ['a byte order mark', `\ufeff${MINIMAL}`],
  ['line ends of Windows', MINIMAL.replaceAll('\n', '\r\n')],
  ['a tab behind a colon', MINIMAL.replace('schema: 1', 'schema:\t1')],
  ['an alias', MINIMAL.replace('name: tiny', 'name: &name tiny').replace('[demo]', '[*name]')],
])('%s is no fault', (_name, content) => {
  expect(problemsOf(content)).toEqual([]);
});

test('what YAML 1.1 took for booleans and octal numbers is text and decimal', () => {
  const { root } = parseYaml('a: no\nb: on\nc: 010\nd: 1_000\n', 'x');
  expect(root && plain(root)).toEqual({ a: 'no', b: 'on', c: 10, d: '1_000' });
});

describe('a fault in the structure hides nothing that stands above it', () => {
  test('what is above is told, what is below or missing is not', () => {
    const content = `schema: 2\nhots: {}\nhost: "abc\nservices:\n  webBot: 7\n`;
    expect(problemsOf(content).map(brief)).toEqual([
      'CONFIG_SCHEMA 1:9 schema',
      'CONFIG_UNKNOWN_KEY 2:1 hots',
      'YAML_SYNTAX 3:7',
    ]);
  });

  test('a tab is read as the width that makes sense of the file, so that the rest is judged', () => {
    const content = `${MINIMAL}host:\n\tdocker: unix:///x\nextraServices:\n  web: {image: web}\n`;
    expect(problemsOf(content).map(brief)).toEqual(['YAML_SYNTAX 14:1', 'CONFIG_SCHEMA 16:16 extraServices.web.image']);
  });
});
