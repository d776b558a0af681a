import { describe, expect, test } from 'vitest';
import { inspectEnvironments } from '../../config/load.js';
import { brief, marked, problemsOf } from './problems.js';
import { changed, MINIMAL, project } from './project.js';

// In these environments ▶ stands where the problem is expected; it is taken out before they are read.

/** `MINIMAL` with one extra service. */
const extra = (settings: string): string => `${MINIMAL}extraServices:\n  web: {image: "web:1", ${settings}}\n`;
/** `MINIMAL` with more services, a line each. */
const services = (...lines: readonly string[]): string => MINIMAL + lines.map((line) => `  ${line}\n`).join('');
/** `MINIMAL` with more settings of its model. */
const llm = (settings: string): string => changed(['engine: llama.cpp', `engine: llama.cpp\n      ${settings}`]);
/** `MINIMAL` with more settings of the API. */
const api = (settings: string): string => changed(['[demo]', `[demo]\n    ${settings}`]);
const host = (settings: string): string => `${MINIMAL}host: {${settings}}\n`;

interface Case {
  readonly yaml: string;
  /** Code and path. */
  readonly is: string;
  readonly says: RegExp;
  readonly remedy: RegExp;
}

describe('every rule tells what contradicts what, where, and what to change', () => {
  test.each<[string, Case]>([
    [
      'an open port without a reason',
      {
        yaml: services('webBot: {publish: {port: 80, address: ▶0.0.0.0}}'),
        is: 'CONFIG_RULE services.webBot.publish.address',
        says: /^0\.0\.0\.0 lets other machines reach port 80$/,
        remedy: /publish\.acknowledge/,
      },
    ],
    [
      'a share of one client above what all have',
      {
        yaml: api('limits: {concurrentStreams: 4, streamsPerAddress: ▶5}'),
        is: 'CONFIG_RULE services.api.limits.streamsPerAddress',
        says: /^one client may have 5, but all together 4 \(concurrentStreams\)$/,
        remedy: /Lower streamsPerAddress/,
      },
    ],
    [
      'one port for two services',
      {
        yaml: services('prometheus: {publish: {port: ▶8080}}'),
        is: 'NAME_CLASH services.prometheus.publish.port',
        says: /127\.0\.0\.1:8080 is published by services\.webBot already/,
        remedy: /another port/,
      },
    ],
    [
      'one port on all addresses and on one',
      {
        yaml: services(
          'webBot: {publish: {port: 80, address: 0.0.0.0, acknowledge: behind a firewall}}',
          'prometheus: {publish: {port: ▶80}}',
        ),
        is: 'NAME_CLASH services.prometheus.publish.port',
        says: /services\.webBot/,
        remedy: /another port/,
      },
    ],
    [
      'a port that the exporter of the host has at a gateway, on all addresses',
      {
        yaml: services('webBot: {publish: {port: ▶9100, address: 0.0.0.0, acknowledge: behind a firewall}}'),
        is: 'NAME_CLASH services.webBot.publish.port',
        says: /services\.nodeExporter listens on port 9100 of a gateway, which 0\.0\.0\.0:9100 takes as well/,
        remedy: /another port, or on one address/,
      },
    ],
    [
      'a port of the exporter of the host that another service has',
      {
        yaml: services('nodeExporter: {publish: {port: ▶8080}}'),
        is: 'NAME_CLASH services.nodeExporter.publish.port',
        says: /127\.0\.0\.1:8080 is published by services\.webBot already/,
        remedy: /another port/,
      },
    ],
    [
      'the exporter of the host open to others without a reason',
      {
        yaml: services('nodeExporter: {publish: {port: 9101, address: ▶0.0.0.0}}'),
        is: 'CONFIG_RULE services.nodeExporter.publish.address',
        says: /lets other machines reach port 9101/,
        remedy: /publish\.acknowledge/,
      },
    ],
    [
      'a scrape job of the stack for a model server',
      {
        yaml: llm('job: ▶qdrant'),
        is: 'NAME_CLASH services.llm.main.job',
        says: /the scrape job qdrant belongs to one of the stack's own services already/,
        remedy: /another name/,
      },
    ],
    [
      'the scrape job of another model server',
      {
        yaml: llm('job: ▶llm-big').replace(
          '  api:\n',
          '    big: {engine: vllm, model: {name: o/m}, maxModelLen: 4096}\n  api:\n',
        ),
        is: 'NAME_CLASH services.llm.main.job',
        says: /llm-big belongs to services\.llm\.big already/,
        remedy: /another name/,
      },
    ],
    [
      'the agent exporter without Prometheus',
      {
        yaml: services(
          'prometheus: {enabled: false}',
          'nodeExporter: {enabled: false}',
          'agentExporter: {enabled: ▶true}',
        ),
        is: 'CONFIG_RULE services.agentExporter.enabled',
        says: /nobody to report to: Prometheus is not enabled/,
        remedy: /agentExporter\.enabled: false/,
      },
    ],
    [
      'one container name for two services',
      {
        yaml: services('qdrant: {container: ▶vectors}', 'postgres: {container: vectors}'),
        is: 'NAME_CLASH services.qdrant.container',
        says: /vectors belongs to services\.postgres\.container already/,
        remedy: /`container:`/,
      },
    ],
    [
      'the default name of another service',
      {
        yaml: services('qdrant: {container: ▶dev-postgres}'),
        is: 'NAME_CLASH services.qdrant.container',
        says: /dev-postgres belongs to services\.postgres/,
        remedy: /another name/,
      },
    ],
    [
      'the name of a container that carries files',
      {
        yaml: services('qdrant: {container: ▶dev-postgres-files}'),
        is: 'NAME_CLASH services.qdrant.container',
        says: /dev-postgres-files/,
        remedy: /another name/,
      },
    ],
    [
      "a job's name",
      {
        yaml: extra('container: ▶dev-postgres-roles'),
        is: 'NAME_CLASH extraServices.web.container',
        says: /dev-postgres-roles/,
        remedy: /another name/,
      },
    ],
    [
      'one volume for two services',
      {
        yaml: services('qdrant: {volume: ▶dev-postgres-data}'),
        is: 'NAME_CLASH services.qdrant.volume',
        says: /the volume name dev-postgres-data belongs to services\.postgres\.volume/,
        remedy: /`volume:`/,
      },
    ],
    [
      'one volume twice in a service',
      {
        yaml: extra('volumes: [{name: data, path: /a}, {name: ▶data, path: /b}]'),
        is: 'NAME_CLASH extraServices.web.volumes.1.name',
        says: /extraServices\.web\.volumes\.0\.name/,
        remedy: /another name/,
      },
    ],
    [
      'a model that is none',
      {
        yaml: api('llm: ▶mian'),
        is: 'CONFIG_RULE services.api.llm',
        says: /no model 'mian'/,
        remedy: /`main`/,
      },
    ],
    [
      'an answer without room for the question',
      {
        yaml: llm('contextLength: 2048\n      parallel: 2\n      sampling: {maxTokens: ▶1024}'),
        is: 'CONFIG_RULE services.llm.main.sampling.maxTokens',
        says: /^1024 tokens of answer.*one request has 1024 tokens/,
        remedy: /Lower maxTokens/,
      },
    ],
    [
      'a default answer without room for the question, told at the model',
      {
        yaml: llm('contextLength: 512').replace('    main:', '    ▶main:'),
        is: 'CONFIG_RULE services.llm.main.sampling.maxTokens',
        says: /1024 tokens of answer/,
        remedy: /contextLength/,
      },
    ],
    [
      'the port of PostgreSQL without anybody who may log in',
      {
        yaml: services('postgres: {publish: ▶{port: 5432}}'),
        is: 'CONFIG_RULE services.postgres.publish',
        says: /nobody could log in through the port/,
        remedy: /services\.postgres\.roles/,
      },
    ],
    [
      'roles that have no port to come through',
      {
        yaml: services('postgres: {roles: ▶{analyst: {}}}'),
        is: 'CONFIG_RULE services.postgres.roles',
        says: /no port of PostgreSQL is published/,
        remedy: /services\.postgres\.publish/,
      },
    ],
    [
      'a role whose secret would be the superuser’s',
      {
        yaml: services('postgres: {publish: {port: 5432}, roles: {superuser: ▶{}}}'),
        is: 'NAME_CLASH services.postgres.roles.superuser',
        says: /its secret would be postgres-superuser-password, which is that of services\.postgres$/,
        remedy: /another name/,
      },
    ],
    [
      'a role of the stack for somebody outside',
      {
        yaml: services('postgres: {publish: {port: 5432}, roles: {rag_api: ▶{}}}'),
        is: 'NAME_CLASH services.postgres.roles.rag_api',
        says: /rag_api belongs to the stack/,
        remedy: /another name/,
      },
    ],
    [
      'a role whose name lets in every other one',
      {
        yaml: services('postgres: {publish: {port: 5432}, roles: {all: ▶{}}}'),
        is: 'NAME_CLASH services.postgres.roles.all',
        says: /all belongs to the stack or to PostgreSQL itself/,
        remedy: /another name/,
      },
    ],
    [
      'a database whose name is a word',
      {
        yaml: services('postgres: {database: ▶replication}'),
        is: 'CONFIG_RULE services.postgres.database',
        says: /a word of PostgreSQL/,
        remedy: /another name/,
      },
    ],
    [
      'a role that comes from everywhere',
      {
        yaml: services('postgres: {publish: {port: 5432}, roles: {analyst: {from: [10.0.0.0/8, ▶0.0.0.0/0]}}}'),
        is: 'CONFIG_RULE services.postgres.roles.analyst.from.1',
        says: /0\.0\.0\.0\/0 lets nearly everybody try passwords/,
        remedy: /of \/8 or smaller/,
      },
    ],
    [
      'two ports of Qdrant that are one',
      {
        yaml: services('qdrant: {publish: {port: 6333}, publishGrpc: {port: ▶6333}}'),
        is: 'NAME_CLASH services.qdrant.publishGrpc.port',
        says: /127\.0\.0\.1:6333 is published by services\.qdrant already/,
        remedy: /another port/,
      },
    ],
    [
      'the gRPC port of Qdrant for other machines without a reason',
      {
        yaml: services('qdrant: {publishGrpc: {port: 6334, address: ▶0.0.0.0}}'),
        is: 'CONFIG_RULE services.qdrant.publishGrpc.address',
        says: /lets other machines reach port 6334/,
        remedy: /publishGrpc\.acknowledge/,
      },
    ],
    [
      'Grafana without Prometheus',
      {
        yaml: services('prometheus: {enabled: false}', 'nodeExporter: {enabled: false}', 'grafana: {enabled: ▶true}'),
        is: 'CONFIG_RULE services.grafana.enabled',
        says: /Grafana has nothing to show: Prometheus is not enabled/,
        remedy: /grafana\.enabled: false/,
      },
    ],
    [
      'Alertmanager without alerts',
      {
        yaml: services('alertmanager: {enabled: ▶true}'),
        is: 'CONFIG_RULE services.alertmanager.enabled',
        says: /evaluates no rules/,
        remedy: /prometheus\.alerts: true/,
      },
    ],
    [
      'a password in the address of a webhook',
      {
        yaml: services(
          'prometheus: {alerts: true}',
          "alertmanager: {enabled: true, webhook: {url: ▶'https://me:secret@alerts.example/'}}",
        ),
        is: 'CONFIG_RULE services.alertmanager.webhook.url',
        says: /holds a password/,
        remedy: /token: true/,
      },
    ],
    [
      'a node exporter without Prometheus',
      {
        yaml: services('prometheus: {enabled: false}').replace('services:', '▶services:'),
        is: 'CONFIG_RULE services.nodeExporter.enabled',
        says: /Prometheus is not enabled/,
        remedy: /nodeExporter\.enabled: false/,
      },
    ],
    [
      'more than half of the memory for buffers',
      {
        yaml: services('postgres: {memory: 1GiB, settings: {shared_buffers: ▶513MB}}'),
        is: 'CONFIG_RULE services.postgres.settings.shared_buffers',
        says: /513MB is more than half of the memory limit of 1024 MiB/,
        remedy: /services\.postgres\.memory/,
      },
    ],
    [
      'WAL sizes out of order',
      {
        yaml: services('postgres: {settings: {min_wal_size: ▶5GB}}'),
        is: 'CONFIG_RULE services.postgres.settings.min_wal_size',
        says: /5GB is more than max_wal_size, 4GB/,
        remedy: /raise max_wal_size/,
      },
    ],
    [
      'a PostgreSQL whose version is not told',
      {
        yaml: services('postgres: {image: ▶"postgres:bookworm"}'),
        is: 'CONFIG_RULE services.postgres.image',
        says: /postgres:bookworm does not start with a major version/,
        remedy: /postgres:\d+/,
      },
    ],
    [
      'a PostgreSQL that is too old',
      {
        yaml: services('postgres: {image: ▶"registry.example:5000/postgres:14.1"}'),
        is: 'CONFIG_RULE services.postgres.image',
        says: /from 15 on/,
        remedy: /postgres:\d+/,
      },
    ],
    [
      'a silence longer than the answer',
      {
        yaml: api('limits: {idleSeconds: ▶301}'),
        is: 'CONFIG_RULE services.api.limits.idleSeconds',
        says: /301 seconds are more than totalSeconds, 300/,
        remedy: /Lower idleSeconds/,
      },
    ],
    [
      'a first token after the end',
      {
        yaml: api('limits: {totalSeconds: 59, idleSeconds: 1, firstTokenSeconds: ▶60}'),
        is: 'CONFIG_RULE services.api.limits.firstTokenSeconds',
        says: /60 seconds are more than totalSeconds, 59/,
        remedy: /Lower firstTokenSeconds/,
      },
    ],
    [
      "a pool that is somebody else's",
      {
        yaml: host('networkPool: ▶172.32.0.0/16'),
        is: 'CONFIG_RULE host.networkPool',
        says: /not a private range/,
        remedy: /172\.16\.0\.0\/12/,
      },
    ],
    [
      'a pool that reaches beyond a private range',
      {
        yaml: host('networkPool: ▶192.168.0.0/15'),
        is: 'CONFIG_RULE host.networkPool',
        says: /not a private range/,
        remedy: /192\.168/,
      },
    ],
    [
      'a pool that is too small',
      {
        yaml: host('networkPool: ▶10.0.0.0/25'),
        is: 'CONFIG_RULE host.networkPool',
        says: /too small/,
        remedy: /\/24 or larger/,
      },
    ],
    [
      'a pool that starts in the middle',
      {
        yaml: host('networkPool: ▶10.0.1.0/20'),
        is: 'CONFIG_RULE host.networkPool',
        says: /first address/,
        remedy: /Write 10\.0\.0\.0\/20/,
      },
    ],
    [
      "an extra service with the name of the stack's own",
      {
        yaml: `${MINIMAL}extraServices:\n  rag-api: ▶{image: "a:1", container: other}\n`,
        is: 'NAME_CLASH extraServices.rag-api',
        says: /own services or jobs/,
        remedy: /another name/,
      },
    ],
    [
      'an extra service with the name of a service that is off',
      {
        yaml: `${services('webBot: {enabled: false}')}extraServices:\n  web-bot: ▶{image: "a:1"}\n`,
        is: 'NAME_CLASH extraServices.web-bot',
        says: /own services or jobs/,
        remedy: /another name/,
      },
    ],
    [
      'a volume that carries the secrets of a service',
      {
        yaml: extra('volumes: [{name: ▶dev-rag-api-secrets, path: /x}]'),
        is: 'NAME_CLASH extraServices.web.volumes.0.name',
        says: /carries the secrets of services\.api/,
        remedy: /another name/,
      },
    ],
    [
      'the volume that carries the secrets of a job',
      {
        yaml: extra('volumes: [{name: ▶dev-postgres-roles-secrets, path: /x}]'),
        is: 'NAME_CLASH extraServices.web.volumes.0.name',
        says: /carries the secrets of services\.postgres$/,
        remedy: /another name/,
      },
    ],
    [
      'the volume that carries the configuration of a service, for data of another',
      {
        yaml: services('qdrant: {volume: ▶dev-postgres-etc-postgresql-0123456789}'),
        is: 'NAME_CLASH services.qdrant.volume',
        says: /carries the configuration of services\.postgres$/,
        remedy: /another name/,
      },
    ],
    [
      'the volume that carries the secrets of a container with a name of its own',
      {
        yaml: extra('container: mine, volumes: [{name: ▶mine-secrets, path: /x}]'),
        is: 'NAME_CLASH extraServices.web.volumes.0.name',
        says: /carries the secrets of extraServices\.web$/,
        remedy: /another name/,
      },
    ],
    [
      'an extra service with the name of a job',
      {
        yaml: `${MINIMAL}extraServices:\n  llm-main-model: ▶{image: "a:1", container: other}\n`,
        is: 'NAME_CLASH extraServices.llm-main-model',
        says: /own services or jobs/,
        remedy: /another name/,
      },
    ],
    [
      'a published service that listens nowhere',
      {
        yaml: extra('publish: ▶{port: 90}'),
        is: 'CONFIG_RULE extraServices.web.publish',
        says: /nothing to publish/,
        remedy: /Add `listen:`/,
      },
    ],
    ...(['command', 'entrypoint', 'healthCheck'] as const).map((key): [string, Case] => [
      `a password in an address of ${key}`,
      {
        yaml: extra(`${key}: [run, ▶"--db=postgresql://u:Passw0rd@db/x"]`),
        is: `CONFIG_RULE extraServices.web.${key}.1`,
        says: /^a URL with a password; everybody(?!.*Passw0rd)/,
        remedy: /from a file/,
      },
    ]),
    [
      'a connection to nothing',
      {
        yaml: extra('connections: {qdrnt: ▶{url: A, credential: B}}'),
        is: 'CONFIG_RULE extraServices.web.connections.qdrnt',
        says: /no service 'qdrnt'/,
        remedy: /`qdrant`/,
      },
    ],
    [
      'a connection to a model that is none',
      {
        yaml: extra('connections: {llm.big: ▶{url: A, credential: B}}'),
        is: 'CONFIG_RULE extraServices.web.connections.llm.big',
        says: /no service 'llm\.big'/,
        remedy: /llm\.main/,
      },
    ],
    [
      'a connection to what is off',
      {
        yaml: services('webBot: {enabled: false}', 'qdrant: {}').concat(
          'extraServices: {web: {image: "a:1", connections: {webBot: ▶{url: A}}}}\n',
        ),
        is: 'CONFIG_RULE extraServices.web.connections.webBot',
        says: /no service 'webBot'/,
        remedy: /qdrant/,
      },
    ],
    [
      'a connection without the credential',
      {
        yaml: extra('connections: {llm.main: ▶{url: A}}'),
        is: 'CONFIG_RULE extraServices.web.connections.llm.main',
        says: /llm\.main wants a credential/,
        remedy: /Add `credential:`/,
      },
    ],
    [
      'a credential that nobody wants',
      {
        yaml: extra('connections: {prometheus: {url: A, credential: ▶B}}'),
        is: 'CONFIG_RULE extraServices.web.connections.prometheus.credential',
        says: /wants no credential/,
        remedy: /Remove/,
      },
    ],
    [
      'a variable that is set twice',
      {
        yaml: extra('environment: {URL: x}, connections: {api: {url: ▶URL, credential: B}}'),
        is: 'CONFIG_RULE extraServices.web.connections.api.url',
        says: /URL is set by extraServices\.web\.environment\.URL already/,
        remedy: /another name/,
      },
    ],
    [
      'a variable for an address and a credential',
      {
        yaml: extra('connections: {api: {url: A, credential: ▶A}}'),
        is: 'CONFIG_RULE extraServices.web.connections.api.credential',
        says: /A is set by extraServices\.web\.connections\.api\.url already/,
        remedy: /another name/,
      },
    ],
    [
      'a secret in a variable',
      {
        yaml: extra('environment: {DB_PASSWORD: ▶hunter2hunter2}'),
        is: 'CONFIG_RULE extraServices.web.environment.DB_PASSWORD',
        says: /DB_PASSWORD looks like a secret/,
        remedy: /DB_PASSWORD_FILE/,
      },
    ],
    [
      'a secret in a URL',
      {
        yaml: extra('environment: {DB: ▶"postgres://me:hunter2hunter2@db/x"}'),
        is: 'CONFIG_RULE extraServices.web.environment.DB',
        says: /DB looks like a secret/,
        remedy: /DB_FILE/,
      },
    ],
    [
      'two mounts in one place',
      {
        yaml: extra('volumes: [{name: data, path: /a}], tmpfs: [/b, ▶/a]'),
        is: 'CONFIG_RULE extraServices.web.tmpfs.1',
        says: /\/a is mounted by extraServices\.web\.volumes\.0\.path/,
        remedy: /elsewhere/,
      },
    ],
  ])('%s', (_name, { yaml, is, says, remedy }) => {
    const { content, at } = marked(yaml);
    const problems = problemsOf(content);
    expect(problems.map(brief)).toEqual([is.replace(' ', ` ${at} `)]);
    expect(problems[0]?.message).toMatch(says);
    expect(problems[0]?.remedy).toMatch(remedy);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  test('the name of a file that is no name of an environment, and the names that would follow from a long one', () => {
    const long = `e${'x'.repeat(31)}`;
    const model = `m${'x'.repeat(30)}`;
    const deep = changed(['    main:', `    ${model}:`], ['courses', `llm: ${model}\n    courses`]);
    const cwd = project({ 'Dev One.yaml': MINIMAL, [`${long}.yaml`]: deep });
    const found = inspectEnvironments(undefined, { cwd }).problems.map(({ code, path, message }) => [
      code,
      path,
      message,
    ]);
    expect(found.slice(0, 3)).toEqual([
      ['CONFIG_RULE', '', 'the file names the environment "Dev One"'],
      [
        'CONFIG_RULE',
        `services.llm.${model}.container`,
        `the name ${long}-llm-${model} has 68 characters, and 63 is the most`,
      ],
      [
        'CONFIG_RULE',
        `services.llm.${model}.volume`,
        `the name ${long}-llm-${model}-models has 75 characters, and 63 is the most`,
      ],
    ]);
  });
});

test.each([
  [
    'one port on two addresses',
    services(
      'webBot: {publish: {port: 80, address: 127.0.0.1}}',
      'prometheus: {publish: {port: 80, address: 127.0.0.2, acknowledge: loopback too}}',
    ),
  ],
  ['half of the memory for buffers', services('postgres: {settings: {shared_buffers: 512MB}}')],
  ['the path of a secret', extra('environment: {DB_PASSWORD_FILE: /run/x, MAX_TOKENS: "5"}')],
  ['the port of a service that is off', services('webBot: {enabled: false}', 'prometheus: {publish: {port: 8080}}')],
  [
    'a connection with all it takes',
    extra('listen: 80, publish: {port: 90}, connections: {qdrant: {url: A, credential: B}, webBot: {url: C}}'),
  ],
  ['an answer that just fits', llm('contextLength: 1025')],
  ['a newer PostgreSQL by digest', services(`postgres: {image: "postgres:17.1@sha256:${'0'.repeat(64)}"}`)],
  ['the smallest pool', host('networkPool: 192.168.7.0/24')],
])('%s is allowed', (_name, content) => {
  expect(problemsOf(content)).toEqual([]);
});

describe('a rule that rests on a setting in doubt says nothing', () => {
  test.each<[string, string, string]>([
    [
      'listen is wrong, publish needs it',
      extra('listen: ▶no, publish: {port: 90}'),
      'CONFIG_SCHEMA extraServices.web.listen',
    ],
    [
      'listen is misspelt, publish needs it',
      extra('▶listne: 80, publish: {port: 90}'),
      'CONFIG_UNKNOWN_KEY extraServices.web.listne',
    ],
    [
      'acknowledge is too short',
      services('webBot: {publish: {port: 80, address: 0.0.0.0, acknowledge: ▶ok}}'),
      'CONFIG_SCHEMA services.webBot.publish.acknowledge',
    ],
    ['the model has a bad name', changed(['    main:', '    ▶Main:']), 'CONFIG_SCHEMA services.llm.Main'],
    ['contextLength is wrong', llm('contextLength: ▶10'), 'CONFIG_SCHEMA services.llm.main.contextLength'],
    [
      'memory is wrong',
      services('postgres: {memory: ▶1, settings: {shared_buffers: 9GB}}'),
      'CONFIG_SCHEMA services.postgres.memory',
    ],
    [
      'the credential is wrong',
      extra('connections: {api: {url: A, credential: ▶b}}'),
      'CONFIG_SCHEMA extraServices.web.connections.api.credential',
    ],
    [
      'the name that would clash is wrong',
      services('qdrant: {container: ▶"-"}', 'postgres: {container: dev-qdrant}'),
      'CONFIG_SCHEMA services.qdrant.container',
    ],
    [
      'all models are wrong',
      'schema: 1\nservices:\n  llm: ▶5\n  api: {courses: [demo]}\n',
      'CONFIG_SCHEMA services.llm',
    ],
  ])('%s', (_name, yaml, is) => {
    const { content, at } = marked(yaml);
    expect(problemsOf(content).map(brief)).toEqual([is.replace(' ', ` ${at} `)]);
  });

  test('and the others are told beside what the schema found', () => {
    const content = services('qdrant: {memory: 5}', 'webBot: {publish: {port: 80, address: 0.0.0.0}}');
    expect(problemsOf(content).map(brief)).toEqual([
      'CONFIG_SCHEMA 13:20 services.qdrant.memory',
      'CONFIG_RULE 14:41 services.webBot.publish.address',
    ]);
  });
});

test('five faults of different kinds are five problems at once', () => {
  const content = `schema: 1
extends: base.yaml
host:
  docker: unix:///var/run/docker.sock
  docker: unix:///run/docker.sock
services:
  postgres:
    memmory: 2GiB
  llm:
    main:
      engine: llama.cpp
      model:
        name: tiny
        file: tiny.bin
        url: https://models.example/tiny.gguf
        sha256: ${'ab'.repeat(32)}
  api:
    llm: mian
  webBot:
    publish: {port: 8080, address: 0.0.0.0}
`;
  const base = 'schema: 1\ntemplate: true\nservices: {api: {courses: [demo]}}\n';
  expect(problemsOf(content, { 'base.yaml': base }).map(brief)).toEqual([
    'YAML_DUPLICATE_KEY 5:3',
    'CONFIG_UNKNOWN_KEY 8:5 services.postgres.memmory',
    'CONFIG_SCHEMA 14:15 services.llm.main.model.file',
    'CONFIG_RULE 18:10 services.api.llm',
    'CONFIG_RULE 20:36 services.webBot.publish.address',
  ]);
});
