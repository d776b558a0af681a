import { describe, expect, test } from 'vitest';
import { type SchemaNode, SETTINGS_SCHEMA } from '../../config/json-schema.js';
import { salvage } from '../../config/salvage.js';
import { EnvironmentSchema } from '../../config/schema.js';
import { brief, problemsOf } from './problems.js';
import { changed, MINIMAL } from './project.js';

describe('a value that does not fit is told with what was expected and what to do', () => {
  test.each<[string, string, string, RegExp, RegExp?]>([
    ['wrong version', changed(['schema: 1', 'schema: 2']), 'CONFIG_SCHEMA 1:9 schema', /expected 1, got 2/],
    [
      'no version',
      changed(['schema: 1\n', '']),
      'CONFIG_SCHEMA 1:1 schema',
      /`schema` is missing/,
      /Add `schema:` with 1/,
    ],
    [
      'host name with a scheme',
      `${MINIMAL}  webBot: {hosts: ["https://chat.example"]}\n`,
      'CONFIG_SCHEMA 13:20 services.webBot.hosts.0',
      /expected a host name like chat\.example\.org: lower-case, without scheme and port/,
    ],
    ...['chat.example:8080', 'Chat.example', 'chat.example.', '', '*.example', `${'a'.repeat(64)}.example`].map(
      (name): [string, string, string, RegExp] => [
        `host name '${name}'`,
        `${MINIMAL}  webBot: {hosts: ["${name}"]}\n`,
        'CONFIG_SCHEMA 13:20 services.webBot.hosts.0',
        /expected a host name/,
      ],
    ),
    [
      'misspelt key',
      changed(['courses:', 'corses: [a]\n    courses:']),
      'CONFIG_UNKNOWN_KEY 12:5 services.api.corses',
      /"corses" is not known/,
      /`courses`/,
    ],
    [
      'key that resembles none',
      `${MINIMAL}replicas: 3\n`,
      'CONFIG_UNKNOWN_KEY 13:1 replicas',
      /"replicas"/,
      /schema, extends, template, host/,
    ],
    [
      'key with a control sequence in it',
      `${MINIMAL}"\\e[2J": 3\n`,
      'CONFIG_UNKNOWN_KEY 13:1 "\\u001b[2J"',
      /"\\u001b\[2J"/,
    ],
    [
      'missing setting inside a name',
      changed(['        sha256', '        # sha256']),
      'CONFIG_SCHEMA 6:7 services.llm.main.model.sha256',
      /`sha256` is missing \(SHA-256 of the file\)/,
      /64 lower-case/,
    ],
    ['missing section', changed(['  api:\n    courses: [demo]\n', '']), 'CONFIG_SCHEMA 2:1 services.api', /RAG API/],
    ['nothing', changed([' [demo]', '']), 'CONFIG_SCHEMA 12:13 services.api.courses', /got nothing/, /Give it a value/],
    ['empty list', changed(['[demo]', '[]']), 'CONFIG_SCHEMA 12:14 services.api.courses', /not empty, got a list/],
    ['bad list item', changed(['[demo]', '[demo, " x"]']), 'CONFIG_SCHEMA 12:21 services.api.courses.1', /got " x"/],
    [
      'number for text',
      changed(['[demo]', '[101]']),
      'CONFIG_SCHEMA 12:15 services.api.courses.0',
      /got 101/,
      /quotes/,
    ],
    [
      'amount without a unit',
      changed(['[demo]', '[demo]\n    memory: 512']),
      'CONFIG_SCHEMA 13:13 services.api.memory',
      /an amount like 512MiB or 2GiB, got 512/,
    ],
    [
      'number out of range',
      `${MINIMAL}  webBot: {publish: {port: 70000}}\n`,
      'CONFIG_SCHEMA 13:28 services.webBot.publish.port',
      /a whole number from 1 to 65535, got 70000/,
    ],
    [
      'fraction for integer',
      changed(['[demo]', '[demo]\n    limits: {idleSeconds: 1.5}']),
      'CONFIG_SCHEMA 13:27 services.api.limits.idleSeconds',
      /whole number from 1 to 3600, got 1.5/,
    ],
    [
      'not a number',
      `${MINIMAL}  webBot: {publish: {port: .nan}}\n`,
      'CONFIG_SCHEMA 13:28 services.webBot.publish.port',
      /got NaN/,
    ],
    [
      'choice that is none',
      changed(['[demo]', '[demo]\n    noContext: refuze']),
      'CONFIG_SCHEMA 13:16 services.api.noContext',
      /one of refuse, general, got "refuze"/,
      /`refuse`/,
    ],
    ['text for a mapping', `${MINIMAL}host: local\n`, 'CONFIG_SCHEMA 13:7 host', /a mapping, got "local"/],
    ['mapping for a list', changed(['[demo]', '{a: b}']), 'CONFIG_SCHEMA 12:14 services.api.courses', /got a mapping/],
    [
      'name that is none',
      changed(['    main:', '    Main Model:'], ['[demo]', '[demo]\n    llm: main']),
      'CONFIG_SCHEMA 4:5 services.llm."Main Model"',
      /lower-case letters.*got the key "Main Model"/,
    ],
    [
      'image without a tag',
      `${MINIMAL}  qdrant: {image: qdrant/qdrant}\n`,
      'CONFIG_SCHEMA 13:19 services.qdrant.image',
      /an image with a tag/,
    ],
    [
      'image with the tag latest',
      `${MINIMAL}  qdrant: {image: "qdrant/qdrant:latest"}\n`,
      'CONFIG_SCHEMA 13:19 services.qdrant.image',
      /pin one, got "qdrant\/qdrant:latest"/,
    ],
    [
      'address that is none',
      `${MINIMAL}  webBot: {publish: {port: 80, address: 127.0.0.256}}\n`,
      'CONFIG_SCHEMA 13:41 services.webBot.publish.address',
      /an IPv4 address/,
    ],
    [
      'pool that is none',
      `${MINIMAL}host: {networkPool: 10.0.0.0}\n`,
      'CONFIG_SCHEMA 13:21 host.networkPool',
      /a range like/,
    ],
    [
      'URL that is none',
      changed(['https://models', 'ftp://models']),
      'CONFIG_SCHEMA 9:14 services.llm.main.model.url',
      /an http or https URL/,
    ],
    [
      'no collection',
      changed(['[demo]', '[demo]\n    collections: {}']),
      'CONFIG_SCHEMA 13:18 services.api.collections',
      /at least one collection/,
    ],
    [
      'long text',
      changed(['[demo]', `[${'x'.repeat(500)}]`]),
      'CONFIG_SCHEMA 12:15 services.api.courses.0',
      /got "x{57}…"$/,
    ],
  ])('%s', (_name, content, where, message, remedy = /./) => {
    const problems = problemsOf(content);
    expect(problems.map(brief)).toEqual([where]);
    expect(problems[0]?.message).toMatch(message);
    expect(problems[0]?.remedy ?? 'the catalogue’s').toMatch(remedy);
  });
});

test('unknown keys of one mapping are one problem each', () => {
  expect(problemsOf(`${MINIMAL}hosts: {}\nsecret: {}\n`).map(brief)).toEqual([
    'CONFIG_UNKNOWN_KEY 13:1 hosts',
    'CONFIG_UNKNOWN_KEY 14:1 secret',
  ]);
});

test('values that may be secrets are not shown', () => {
  const content = `${MINIMAL}extraServices:
  web:
    image: web:1
    environment: {API_TOKEN: 778899, PGPASSWORD: [hunter2]}
    password: hunter2
host: {docker: "http://admin:hunter2@host"}
`;
  const problems = problemsOf(content);
  expect(problems).toHaveLength(4);
  expect(JSON.stringify(problems)).not.toMatch(/778899|hunter2/);
});

test('more than a hundred problems of a file are counted, not listed', () => {
  const keys = Array.from({ length: 300 }, (_, i) => `unknown${i}: 1\n`).join('');
  const problems = problemsOf(MINIMAL + keys);
  expect(problems).toHaveLength(101);
  expect(problems.at(-1)).toMatchObject({
    code: 'CONFIG_UNKNOWN_KEY',
    line: 113,
    message: '200 more problems of this file are not shown',
  });
});

describe('salvage', () => {
  const FULL = {
    schema: 1,
    host: { docker: 'unix:///x', networkPool: '10.0.0.0/20' },
    secrets: { store: 'command', command: ['a', '{name}'], file: 'a.yaml', timeoutSeconds: 5 },
    state: { backend: 'pg', config: { a: { b: 'c' } } },
    services: {
      postgres: { settings: { work_mem: '1MB' }, publish: { port: 5 }, roles: { a: { from: ['10.0.0.0/8'] } } },
      embeddings: { model: { onHost: { folder: '/m', acknowledge: 'it is there' } } },
      llm: {
        main: { engine: 'llama.cpp', model: { name: 'a', file: 'a.gguf', url: 'https://a.b', sha256: '0'.repeat(64) } },
      },
      api: { courses: ['a'], collections: { A: { limit: 1 } }, publish: { port: 1 } },
      webBot: { publish: { port: 2, address: '127.0.0.1' } },
      prometheus: { enabled: true, publish: { port: 3 } },
    },
    extraServices: {
      web: {
        image: 'a:1',
        publish: { port: 4 },
        listen: 1,
        volumes: [{ name: 'ab', path: '/a' }],
        connections: { qdrant: { url: 'A', credential: 'B' } },
        writableRoot: { reason: 'because of it' },
      },
    },
  };

  /** Every path of a value, the value itself left out. */
  function pathsOf(value: unknown, above: readonly (string | number)[] = []): (string | number)[][] {
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) => {
      const path = [...above, Array.isArray(value) ? Number(key) : key];
      return [path, ...pathsOf(inner, path)];
    });
  }

  test('the value that the cases below break one by one is valid', () => {
    expect(EnvironmentSchema.safeParse(FULL).success).toBe(true);
  });

  test.each(pathsOf(FULL).map((path) => [path.join('.'), path] as const))(
    'leaves settings when %s is wrong',
    (_name, path) => {
      const broken = structuredClone(FULL);
      const parent = path
        .slice(0, -1)
        .reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, broken);
      parent[String(path.at(-1))] = new Date(0);
      expect(salvage(broken, [path])?.schema).toBe(1);
    },
  );

  test('knows a stand-in for every required setting', () => {
    const required = (node: SchemaNode): string[] => [
      ...(node.required ?? []),
      ...Object.values(node.properties ?? {}).flatMap(required),
      ...(typeof node.additionalProperties === 'object' ? required(node.additionalProperties) : []),
    ];
    const covered = new Set(pathsOf(FULL).flat().map(String));
    expect(required(SETTINGS_SCHEMA).filter((key) => !covered.has(key))).toEqual([]);
  });
});
