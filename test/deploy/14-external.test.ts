import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { preparePostgres } from '../../src/apps/jobs/postgres-roles.js';
import { postgresAddress } from '../../src/rag/history/connection.js';
import type { StatusReport } from '../../src/status/report.js';
import { removeEnvironment } from './support/clean.js';
import { DOCUMENT, QUESTION } from './support/deployment.js';
import { type Elsewhere, startElsewhere } from './support/elsewhere.js';
import { docker, EngineView, TEST_HOST_SOCKET } from './support/engine.js';
import { until } from './support/poll.js';
import { copyProject, type Outcome, run, succeed } from './support/project.js';

// PostgreSQL behind TLS with a private authority, Qdrant and the model are run beside the stack, on ports of the host.

const NAME = 'external';
const SERVICES = ['node-exporter', 'prometheus', 'rag-api', 'web-bot'];

let elsewhere: Elsewhere;
let project: string;

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'ragdock-deploy-external-'));
  copyProject(project);
  await removeEnvironment(new EngineView(TEST_HOST_SOCKET, NAME, []));
  elsewhere = await startElsewhere(inject('modelFile'));
  await describeServers();
});

afterAll(async () => {
  if (process.env.RAGDOCK_KEEP_STACK) return;
  await removeEnvironment(new EngineView(TEST_HOST_SOCKET, NAME, []));
  await elsewhere?.remove();
  rmSync(project, { recursive: true });
});

/** The environment of the project, laid under the addresses of this host. */
async function describeServers(): Promise<void> {
  const folder = join(project, 'config/environments');
  const file = join(folder, `${NAME}.yaml`);
  writeFileSync(join(folder, 'base.yaml'), `template: true\n${readFileSync(file, 'utf8')}`);
  writeFileSync(join(folder, 'authority.pem'), elsewhere.authority);
  const bridge = await docker.getNetwork('bridge').inspect();
  const address = bridge.IPAM?.Config?.[0]?.Gateway ?? bridge.Options?.['com.docker.network.bridge.host_binding_ipv4'];
  const { ports, model } = elsewhere;
  writeFileSync(
    file,
    `schema: 1
extends: base.yaml
services:
  postgres:
    external:
      url: postgresql://rag_api@host.docker.internal:${ports.postgres}/ml_db
      caFile: authority.pem
  qdrant:
    external:
      url: http://host.docker.internal:${ports.qdrant}
      metrics: { url: 'http://host.docker.internal:${ports.qdrant}/metrics' }
  llm:
    main:
      url: http://${address}:${ports.llm}/v1
      acknowledge: the network between the two is a bridge of this host
      model: ${model}
      contextLength: 8192
      metrics: { url: 'http://${address}:${ports.llm}/metrics', key: true }
      sampling: { maxTokens: 24 }
`,
  );
}

const ragdock = (...args: readonly string[]): Promise<Outcome> =>
  succeed('npx', ['ragdock', ...args], { cwd: project });

/** Store a secret as a user does who was given it. */
async function storeSecret(name: string, value: string): Promise<void> {
  const child = spawn('npx', ['ragdock', 'secrets', 'set', NAME, name], {
    cwd: project,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += bytes));
  child.stdin.end(`${value}\n`);
  const code = await new Promise<number | null>((done, fail) => child.on('error', fail).on('close', done));
  expect(code, output).toBe(0);
  expect(output).not.toContain(value);
}

async function smoke(seconds: number): Promise<{
  readonly code: number | null;
  readonly checks: readonly { service: string; check: string; ok: boolean; came?: string; asked?: string }[];
  readonly text: string;
}> {
  const { code, stdout, stderr } = await run(
    'npx',
    ['ragdock', 'smoke', NAME, '--timeout', String(seconds), '--json', '-'],
    {
      cwd: project,
    },
  );
  return { code, checks: JSON.parse(stdout).checks, text: stdout + stderr };
}

async function healthy(): Promise<void> {
  for (const service of SERVICES) {
    await until(`${service} is healthy`, async () => {
      const { State } = await docker.getContainer(`${NAME}-${service}`).inspect();
      if (State.Health?.Status === 'healthy') return true;
      throw new Error(`${State.Status}: ${State.Health?.Log?.at(-1)?.Output?.trim() ?? ''}`);
    });
  }
}

test('the secrets of servers elsewhere are given, not made', async () => {
  // The addresses are no promise, but the metrics of the model are one more network.
  await ragdock('lock', NAME);
  const { stdout } = await ragdock('secrets', 'init', NAME);
  expect(stdout).toContain('made     rag-api-key');
  for (const name of ['llm-main-api-key', 'postgres-rag-api-password', 'qdrant-api-key']) {
    expect(stdout).toContain(`missing  ${name}: store it with \`ragdock secrets set external ${name}\``);
  }

  await storeSecret('postgres-rag-api-password', elsewhere.passwords.postgres);
  await storeSecret('qdrant-api-key', elsewhere.passwords.qdrant);
  await storeSecret('llm-main-api-key', elsewhere.passwords.llm);
  await ragdock('secrets', 'check', NAME);
});

test('a deploy brings up what is deployed, and nothing that is elsewhere', async () => {
  await succeed('npx', ['cdktf', 'deploy', NAME, '--auto-approve', '--skip-provider-lock'], { cwd: project });
  await healthy();

  const containers = await docker.listContainers();
  const names = containers.flatMap(({ Names }) => Names).filter((name) => name.startsWith(`/${NAME}-`));
  expect(names.sort()).toEqual(SERVICES.map((service) => `/${NAME}-${service}`));
});

test('a second plan is empty', async () => {
  const args = ['plan', '-detailed-exitcode', '-input=false', '-no-color'];
  const { code, stdout } = await run('terraform', args, { cwd: join(project, 'cdktf.out/stacks', NAME) });

  expect(code, stdout).toBe(0);
});

test('the schema is there, and the conversations go over TLS', async () => {
  expect(await elsewhere.sql('SELECT count(*) FROM rag.schema_migrations')).not.toBe('0');
  const encrypted = await elsewhere.sql(
    "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'rag_api'",
  );
  expect(encrypted).toBe('t');
});

test('PostgreSQL elsewhere is trusted for its authority and its name, and for nothing less', async () => {
  const attempt = async (host: string, ca?: string) => {
    const { ssl, ...address } = postgresAddress(
      `postgresql://rag_api@${host}:${elsewhere.ports.postgres}/ml_db?sslmode=verify-full`,
    );
    const client = new pg.Client({
      ...address,
      host: '127.0.0.1',
      password: elsewhere.passwords.postgres,
      ssl: ssl && { ...ssl, ...(ca === undefined ? {} : { ca }) },
    });
    await client.connect();
    await client.end();
  };

  await expect(attempt('host.docker.internal')).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  await expect(attempt('127.0.0.1', elsewhere.authority)).rejects.toMatchObject({
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  await expect(attempt('another.example', elsewhere.authority)).rejects.toMatchObject({
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  await attempt('host.docker.internal', elsewhere.authority);
});

test('a document is ingested, and a question is answered as a stream with its source', async () => {
  await ragdock('ingest', DOCUMENT, '--collection', 'BD_curs_data', '--course', 'demo', '--env', NAME);
  const { stdout } = await ragdock('ask', QUESTION, '--env', NAME, '--json');

  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events.filter(({ event }) => event === 'chunk').length).toBeGreaterThan(1);
  const done = events.find(({ event }) => event === 'done');
  expect(done?.sources).toContainEqual(expect.objectContaining({ source: DOCUMENT, collection: 'BD_curs_data' }));
});

test('smoke is green, and asks the servers elsewhere too', async () => {
  const { code, checks, text } = await smoke(300);

  expect(
    checks.filter(({ ok }) => !ok),
    text,
  ).toEqual([]);
  expect(code).toBe(0);
  const asked = checks.map(({ service, check }) => `${service}: ${check}`);
  expect(asked).toEqual(
    expect.arrayContaining([
      'postgres: writes and reads',
      'qdrant: writes and finds',
      'llm-main: streams an answer',
      'prometheus: targets',
    ]),
  );
});

test('status shows them with their addresses, and logs says where theirs are', async () => {
  const { code, stdout } = await run('npx', ['ragdock', 'status', NAME, '--json'], { cwd: project });
  const report = JSON.parse(stdout) as StatusReport;

  expect(code, stdout).toBe(0);
  expect(report).toMatchObject({ ok: true, drifted: false });
  expect(report.external.map(({ name, url }) => [name, url])).toEqual([
    ['llm-main', expect.stringContaining(`:${elsewhere.ports.llm}`)],
    ['postgres', expect.stringContaining(`rag_api@host.docker.internal:${elsewhere.ports.postgres}/ml_db`)],
    ['qdrant', `http://host.docker.internal:${elsewhere.ports.qdrant}`],
  ]);

  const logs = await run('npx', ['ragdock', 'logs', NAME, 'qdrant'], { cwd: project });
  expect(logs.code).toBe(2);
  expect(logs.stderr).toContain('qdrant of external is external');
});

test('smoke is red while Qdrant elsewhere is stopped, and names it first', async () => {
  await elsewhere.stop('qdrant');
  try {
    const { code, checks, text } = await smoke(60);
    const [first] = checks.filter(({ ok }) => !ok);
    expect(code).toBe(1);
    expect(first?.service, text).toBe('qdrant');
    expect(first?.asked).toContain(`host.docker.internal:${elsewhere.ports.qdrant}`);
  } finally {
    await elsewhere.start('qdrant');
    await healthy();
  }
});

test('no value of a secret is in the state, the plan’s input or what the engine tells', async () => {
  const values = Object.values(elsewhere.passwords);
  const leaks = (text: string) => values.filter((value) => text.includes(value)).length;
  for (const file of [`state/${NAME}.tfstate`, `cdktf.out/stacks/${NAME}/cdk.tf.json`]) {
    expect(leaks(readFileSync(join(project, file), 'utf8')), file).toBe(0);
  }
  for (const { Id, Names } of await docker.listContainers({ all: true })) {
    if (!Names[0]?.startsWith(`/${NAME}-`)) continue;
    const container = docker.getContainer(Id);
    expect(leaks(JSON.stringify(await container.inspect())), Names[0]).toBe(0);
    const log = await container.logs({ stdout: true, stderr: true, follow: false });
    expect(leaks(log.toString('utf8')), Names[0]).toBe(0);
  }
});

test('a destroy leaves the data elsewhere alone', async () => {
  const exchanges = Number(await elsewhere.sql("SELECT count(*) FROM rag.exchanges WHERE status = 'complete'"));
  expect(exchanges).toBeGreaterThan(0);
  const points = async () =>
    (await elsewhere.qdrant<{ points_count: number }>('/collections/BD_curs_data')).points_count;
  const before = await points();
  expect(before).toBeGreaterThan(0);

  await succeed('npx', ['cdktf', 'destroy', NAME, '--auto-approve', '--skip-provider-lock'], { cwd: project });

  const containers = await docker.listContainers({ all: true });
  expect(containers.filter(({ Names }) => Names[0]?.startsWith(`/${NAME}-`))).toEqual([]);
  expect(Number(await elsewhere.sql("SELECT count(*) FROM rag.exchanges WHERE status = 'complete'"))).toBe(exchanges);
  expect(await points()).toBe(before);
});

test('a role that lacks rights, or has another password, is told with the server and the remedy', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ragdock-password-'));
  const url = `postgresql://rag_api@127.0.0.1:${elsewhere.ports.postgres}/ml_db`;
  const settings = { external: true, database: 'ml_db', roles: [], deadlineSeconds: 30 } as const;
  const prepare = () =>
    preparePostgres({ ...settings, roles: [] }, { url, passwordFile: join(folder, 'password') }, () => undefined);
  try {
    writeFileSync(join(folder, 'password.v1'), elsewhere.passwords.postgres);
    await prepare();
    await elsewhere.sql('REVOKE UPDATE ON rag.exchanges FROM rag_api');
    await expect(prepare()).rejects.toThrow(/may not read and write rag\.exchanges; GRANT SELECT, INSERT, UPDATE/);
    await elsewhere.sql('DROP SCHEMA rag CASCADE');
    await expect(prepare()).rejects.toThrow(
      /PostgreSQL at 127\.0\.0\.1:\d+ was not prepared: permission denied.*CREATE SCHEMA rag AUTHORIZATION "rag_api"/,
    );
    writeFileSync(join(folder, 'password.v1'), 'another-password');
    await expect(prepare()).rejects.toThrow(/refuses the password of rag_api.*ragdock secrets set/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
