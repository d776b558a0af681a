import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadEnvironment } from '../../config/load.js';
import { printSettings } from '../../config/print.js';
import { ownSecrets } from '../../config/rules/own-secrets.js';
import { promisesOf } from '../../stacks/promises.js';
import { devWith } from '../support/environments.js';
import { brief, marked, problemsOf } from './problems.js';
import { MINIMAL, project } from './project.js';

const services = (...lines: readonly string[]): string => MINIMAL + lines.map((line) => `  ${line}\n`).join('');
const postgres = (settings: string): string => services(`postgres: {external: {${settings}}}`);
const qdrant = (settings: string): string => services(`qdrant: {external: {${settings}}}`);
const llm = (settings: string): string =>
  `schema: 1\nservices:\n  llm:\n    main: {engine: openai, model: m, contextLength: 8192, ${settings}}\n  api: {courses: [demo]}\n`;
const DB = 'url: "postgresql://rag_api@db.example/ml_db"';
const VECTORS = 'url: "https://vectors.example:6333"';

/** A certificate as `openssl` makes it, and its key. */
function certificate(): { readonly pem: string; readonly key: string } {
  const cwd = mkdtempSync(join(tmpdir(), 'ragdock-certificate-'));
  try {
    const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=a private authority'];
    execFileSync('openssl', [...args, '-keyout', 'key.pem', '-out', 'ca.pem'], { cwd, stdio: 'pipe' });
    return { pem: readFileSync(join(cwd, 'ca.pem'), 'utf8'), key: readFileSync(join(cwd, 'key.pem'), 'utf8') };
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

test('an address and nothing more is enough, and what is checked is checked by default', () => {
  const yaml = services(`postgres: {external: {${DB}}}`, `qdrant: {external: {${VECTORS}}}`);
  const { settings } = loadEnvironment('dev', { cwd: project({ 'dev.yaml': yaml }) });

  expect(settings.services.postgres.external).toEqual({
    url: 'postgresql://rag_api@db.example/ml_db',
    sslMode: 'verify-full',
  });
  expect(settings.services.qdrant.external).toEqual({ url: 'https://vectors.example:6333' });
});

test('a model needs no key', () => {
  expect(problemsOf(llm('url: "https://models.example/v1"'))).toEqual([]);
});

describe('what is wrong is told where it stands, with what to do', () => {
  const clear = /could be read on the way/;
  test.each<[string, string, string, RegExp, RegExp]>([
    [
      'a password in the address of the database',
      postgres('url: ▶"postgresql://rag_api:hunter22@db.example/ml_db"'),
      'CONFIG_RULE services.postgres.external.url',
      /holds a password/,
      /ragdock secrets set/,
    ],
    [
      'a key in the address of a model',
      llm('url: ▶"https://token@models.example/v1"'),
      'CONFIG_RULE services.llm.main.url',
      /holds a password/,
      /ragdock secrets set/,
    ],
    [
      'a database without a role',
      postgres('url: ▶"postgresql://db.example/ml_db"'),
      'CONFIG_SCHEMA services.postgres.external.url',
      /expected an address like postgresql:\/\/rag_api@db\.example:5432\/ml_db/,
      /^$/,
    ],
    [
      'another protocol',
      qdrant('url: ▶"grpc://vectors.example:6334"'),
      'CONFIG_SCHEMA services.qdrant.external.url',
      /expected an http or https URL/,
      /^$/,
    ],
    [
      'the loopback of every container',
      qdrant('url: ▶"http://localhost:6333"'),
      'CONFIG_RULE services.qdrant.external.url',
      /localhost is each container itself/,
      /host\.docker\.internal/,
    ],
    [
      'IPv6',
      qdrant('url: ▶"https://[2001:db8::1]:6333"'),
      'CONFIG_RULE services.qdrant.external.url',
      /IPv6/,
      /an IPv4 address/,
    ],
    [
      'a query',
      llm('url: ▶"https://models.example/v1?version=2"'),
      'CONFIG_RULE services.llm.main.url',
      /query or a fragment/,
      /Remove what follows/,
    ],
    [
      'HTTP to another machine',
      qdrant('url: ▶"http://vectors.example:6333"'),
      'CONFIG_RULE services.qdrant.external.url',
      clear,
      /acknowledge/,
    ],
    [
      'a database in the clear',
      postgres(`${DB}, sslMode: ▶disable`),
      'CONFIG_RULE services.postgres.external.sslMode',
      clear,
      /acknowledge/,
    ],
    [
      'a key for metrics in the clear',
      qdrant(`${VECTORS}, metrics: {url: ▶"http://vectors.example:6333/metrics", key: true}`),
      'CONFIG_RULE services.qdrant.external.metrics.url',
      clear,
      /acknowledge/,
    ],
    [
      'metrics with a key that the model has not',
      llm('url: "https://models.example/v1", metrics: {url: "https://models.example/metrics", key: ▶true}'),
      'CONFIG_RULE services.llm.main.metrics.key',
      /it has none/,
      /keySecret/,
    ],
    [
      'the secret of a service of the stack',
      qdrant(`${VECTORS}, keySecret: ▶rag-api-key`),
      'NAME_CLASH services.qdrant.external.keySecret',
      /is that of services\.api/,
      /another name/,
    ],
    [
      'memory of a server that is not deployed',
      services(`qdrant: {memory: ▶2GiB, external: {${VECTORS}}}`),
      'CONFIG_RULE services.qdrant.memory',
      /memory means nothing/,
      /Remove `memory`, or `external`/,
    ],
    [
      'a database beside its address',
      services(`postgres: {database: ▶other, external: {${DB}}}`),
      'CONFIG_RULE services.postgres.database',
      /the database is in its URL/,
      /Remove/,
    ],
    [
      'an image of a model elsewhere',
      llm('url: "https://models.example/v1", ▶image: "vllm:1"'),
      'CONFIG_UNKNOWN_KEY services.llm.main.image',
      /not known here/,
      /./,
    ],
    [
      'an exporter of a database that makes no roles here',
      services(`postgres: {external: {${DB}}}`, 'postgresExporter: {enabled: ▶true}'),
      'CONFIG_RULE services.postgresExporter.enabled',
      /PostgreSQL is external/,
      /where it is run/,
    ],
    [
      'certificates that are none',
      qdrant(`${VECTORS}, ca: ▶"a certificate"`),
      'CONFIG_RULE services.qdrant.external.ca',
      /no certificate in it/,
      /BEGIN CERTIFICATE/,
    ],
    [
      'a file that is not there',
      qdrant(`${VECTORS}, caFile: ▶ca.pem`),
      'CONFIG_RULE services.qdrant.external.caFile',
      /config\/environments\/ca\.pem does not exist/,
      /from the folder of this file/,
    ],
    [
      'a file outside of the project',
      qdrant(`${VECTORS}, caFile: ▶../../../ca.pem`),
      'CONFIG_RULE services.qdrant.external.caFile',
      /outside of the project|does not exist/,
      /from the folder/,
    ],
  ])('%s', (_name, yaml, is, says, remedy) => {
    const { content, at } = marked(yaml);
    const problems = problemsOf(content);
    const [code, path] = is.split(' ');

    expect(problems.map(brief)).toEqual([`${code} ${at} ${path}`]);
    expect(problems[0]?.message).toMatch(says);
    expect(problems[0]?.remedy ?? '').toMatch(remedy);
    expect(JSON.stringify(problems)).not.toContain('hunter22');
  });

  test('everything at once', () => {
    const yaml = services(
      `postgres: {memory: 2GiB, external: {${DB}, sslMode: disable}}`,
      'qdrant: {external: {url: "http://127.0.0.1:6333"}}',
    );

    expect(problemsOf(yaml).map(({ path }) => path)).toEqual([
      'services.postgres.memory',
      'services.postgres.external.sslMode',
      'services.qdrant.external.url',
    ]);
  });
});

test('in the clear is accepted on the Docker host, and elsewhere with a reason', () => {
  for (const yaml of [
    qdrant('url: "http://host.docker.internal:6333"'),
    qdrant('url: "http://10.0.0.5:6333", acknowledge: a network of its own'),
    postgres('url: "postgresql://rag_api@host.docker.internal/ml_db", sslMode: disable'),
  ]) {
    expect(problemsOf(yaml)).toEqual([]);
  }
});

describe('certificates', () => {
  const { pem, key } = certificate();

  test('a file becomes what it holds, so that the settings stand by themselves', () => {
    const cwd = project({ 'dev.yaml': qdrant(`${VECTORS}, caFile: ca.pem`), 'ca.pem': pem });
    const { settings } = loadEnvironment('dev', { cwd });

    expect(settings.services.qdrant.external).toEqual({ url: 'https://vectors.example:6333', ca: pem });
    expect(loadEnvironment('dev', { cwd: project({ 'dev.yaml': printSettings(settings) }) }).settings).toEqual(
      settings,
    );
  });

  test('a private key among them is refused, and not shown', () => {
    const problems = problemsOf(qdrant(`${VECTORS}, caFile: ca.pem`), { 'ca.pem': pem + key });

    expect(problems.map(({ message }) => message)).toEqual(['there is a private key among the certificates']);
    expect(JSON.stringify(problems)).not.toContain(key.split('\n')[1]);
  });

  test('one that is cut off is refused', () => {
    const half = pem.slice(0, pem.length / 2);
    expect(problemsOf(qdrant(`${VECTORS}, caFile: ca.pem`), { 'ca.pem': half })[0]?.message).toMatch(/no certificate/);
    expect(problemsOf(qdrant(`${VECTORS}, caFile: ca.pem`), { 'ca.pem': pem + half })[0]?.message).toMatch(/no end/);
  });

  test('without TLS there is nothing to check', () => {
    const yaml = qdrant('url: "http://host.docker.internal:6333", caFile: ca.pem');
    expect(problemsOf(yaml, { 'ca.pem': pem })[0]?.message).toMatch(/no certificate to check/);
  });
});

describe('an extra service that is connected to a server with a private authority', () => {
  const { pem } = certificate();
  const yaml = (trust: string) =>
    `${qdrant(`${VECTORS}, caFile: ca.pem`)}extraServices:\n  web: {image: "web:1", connections: {qdrant: {url: URL, credential: KEY_FILE${trust}}}}\n`;

  test('has to be told whom to trust', () => {
    expect(problemsOf(yaml(''), { 'ca.pem': pem })[0]?.message).toMatch(/not told whom to trust/);
    expect(problemsOf(yaml(', trust: CA_FILE'), { 'ca.pem': pem })).toEqual([]);
  });

  test('is told so only where there is one', () => {
    const plain = yaml(', trust: CA_FILE').replace(', caFile: ca.pem', '');
    expect(problemsOf(plain)[0]?.message).toMatch(/CA_FILE would stay empty/);
  });
});

test('the rules know every secret that the stack has of its own', () => {
  const { settings } = devWith((yaml) => {
    Object.assign(yaml.services, {
      prometheus: { alerts: true },
      postgresExporter: { enabled: true },
      alertmanager: { enabled: true, webhook: { url: 'https://hooks.example/', token: true } },
      grafana: { enabled: true },
    });
    Object.assign(yaml.services.llm, {
      big: { engine: 'vllm', model: { name: 'owner/model', token: true }, maxModelLen: 4096 },
    });
  });

  expect(
    ownSecrets(settings)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(promisesOf(settings, 'dev').secrets);
});
