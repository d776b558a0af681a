import { describe, expect, test } from 'vitest';
import { connectEngine } from '../../src/operator/docker.js';
import { readStatus } from '../../src/status/read.js';
import { StatusReport } from '../../src/status/report.js';
import { formatStatus } from '../../src/status/text.js';
import type { ScriptedEngine } from '../operator/support/scripted-engine.js';
import { devWith } from '../support/environments.js';
import { changes, expectedOf, statusEngine } from './support.js';

const environment = devWith();
const SERVICES = ['llm-main', 'node-exporter', 'postgres', 'prometheus', 'qdrant', 'rag-api', 'web-bot'];

async function status(
  engine: ScriptedEngine,
  secrets: readonly string[] = [],
  expected = expectedOf(environment),
): Promise<StatusReport> {
  const report = await readStatus(await connectEngine(engine.address), environment, {
    secrets,
    signal: new AbortController().signal,
    expected,
  });
  return StatusReport.parse(report);
}

const service = (report: StatusReport, name: string) => report.services.find((it) => it.name === name);

test('a stack that is well: everything of it is told', async () => {
  const report = await status(await statusEngine(environment));

  expect(report).toMatchObject({ ok: true, drifted: false, environment: 'dev', at: '2026-11-22T12:00:00.000Z' });
  expect(report.services.map(({ name }) => name)).toEqual(SERVICES);
  expect(service(report, 'web-bot')).toEqual({
    name: 'web-bot',
    container: 'dev-web-bot',
    ok: true,
    state: 'healthy',
    since: '2026-11-22T10:00:00.000Z',
    restarts: 0,
    image: { reference: 'ragdock-apps:aaaaaaaaaaaa', id: expect.stringMatching(/^sha256:/) },
    memory: { limitBytes: expect.any(Number), usedBytes: 20 * 1024 * 1024 },
    urls: [{ endpoint: 'http', url: 'http://127.0.0.1:8080' }],
    networks: ['dev-web-bot--published', 'dev-web-bot--rag-api'],
    drift: [],
  });
  expect(report.jobs.find(({ name }) => name === 'qdrant-collections')).toMatchObject({
    state: 'done',
    ok: true,
    exitCode: 0,
    seconds: 3,
    endedAt: '2026-11-22T10:00:03.000Z',
  });
  expect(report.jobs.map(({ name }) => name)).toContain('postgres-ownership');
  expect(report.volumes).toContainEqual({
    name: 'dev-qdrant-data',
    kind: 'data',
    usedBy: expect.arrayContaining(['qdrant']),
    present: true,
  });
  expect(report.volumes.find(({ name }) => name === 'dev-qdrant-secrets')).toMatchObject({ kind: 'files' });
  expect(report.networks).toContainEqual({
    name: 'dev-rag-api--qdrant',
    kind: 'pair',
    members: ['rag-api', 'qdrant'],
    present: true,
  });
});

test('where the bundled apps are not built their image is not compared, and the report says so', async () => {
  const expected = new Map(
    [...expectedOf(environment)].map(([id, it]) => [
      id,
      it.image?.startsWith('ragdock-apps') ? { ...it, image: undefined } : it,
    ]),
  );
  const report = await status(await statusEngine(environment), [], expected);

  expect(report).toMatchObject({ ok: true, drifted: false, appsCompared: false });
  expect(service(report, 'web-bot')?.image?.reference).toBe('ragdock-apps:aaaaaaaaaaaa');
});

test('only reads', async () => {
  const engine = await statusEngine(environment);
  await status(engine);

  expect(engine.requests.filter((request) => !request.startsWith('GET '))).toEqual([]);
});

describe('what is not well', () => {
  test.each<[string, object, object]>([
    [
      'an unhealthy service, with what its health check said last',
      { Health: { Status: 'unhealthy', Log: [{ Output: 'older' }, { Output: 'curl: (7)\nrefused' }] } },
      { state: 'unhealthy', why: 'unhealthy: curl: (7) refused' },
    ],
    ['one that starts', { Health: { Status: 'starting', Log: [] } }, { state: 'starting' }],
    [
      'one that ended',
      { Status: 'exited', ExitCode: 137, OOMKilled: true, FinishedAt: '2026-11-22T11:00:00Z' },
      {
        state: 'exited',
        since: '2026-11-22T11:00:00.000Z',
        why: 'exited, ended with 137 (killed: out of memory)',
      },
    ],
    ['one that is paused', { Status: 'paused' }, { state: 'paused', why: 'paused' }],
  ])('%s', async (_, state, expected) => {
    const engine = await statusEngine(environment);
    changes(engine, 'dev-qdrant', { State: state });
    const report = await status(engine);

    expect(report.ok).toBe(false);
    expect(service(report, 'qdrant')).toMatchObject({ ok: false, ...expected });
    expect(report.services.filter(({ ok }) => !ok)).toHaveLength(1);
  });

  test('a service that is missing', async () => {
    const engine = await statusEngine(environment);
    engine.states.delete('dev-qdrant');
    const report = await status(engine);

    expect(report.ok).toBe(false);
    expect(service(report, 'qdrant')).toMatchObject({ state: 'missing', why: 'there is no such container' });
  });

  test('a container of somebody else under its name', async () => {
    const engine = await statusEngine(environment);
    changes(engine, 'dev-qdrant', { Config: { Labels: {} } });

    expect(service(await status(engine), 'qdrant')).toMatchObject({
      state: 'missing',
      why: expect.stringContaining('taken'),
    });
  });

  test('a job that failed; one that was removed does no harm', async () => {
    const engine = await statusEngine(environment);
    changes(engine, 'dev-qdrant-collections', { State: { ExitCode: 1 } });
    engine.states.delete('dev-postgres-roles');
    const report = await status(engine);

    expect(report.ok).toBe(false);
    expect(report.jobs.filter(({ ok }) => !ok)).toMatchObject([
      { name: 'qdrant-collections', state: 'failed', exitCode: 1, why: 'exited, ended with 1' },
    ]);
    expect(report.jobs.find(({ name }) => name === 'postgres-roles')).toMatchObject({ state: 'removed', ok: true });
  });

  test('a secret that a health check printed is masked, known or looking like one', async () => {
    const engine = await statusEngine(environment);
    const Output = 'GET /?x=correct-horse-battery failed: Bearer 0123456789abcdef';
    changes(engine, 'dev-qdrant', { State: { Health: { Status: 'unhealthy', Log: [{ Output }] } } });

    expect(service(await status(engine, ['correct-horse-battery']), 'qdrant')?.why).toBe(
      'unhealthy: GET /?x=*** failed: Bearer ***',
    );
  });
});

describe('what a deploy would change is drift, and no fault', () => {
  test('another specification, limit, network', async () => {
    const engine = await statusEngine(environment);
    changes(engine, 'dev-qdrant', {
      Config: { Labels: { 'ragdock.environment': 'dev', 'ragdock.spec': 'older' } },
      HostConfig: { Memory: 64 * 1024 * 1024 },
      NetworkSettings: { Networks: { 'dev-old': {} } },
    });
    const report = await status(engine);

    expect(report).toMatchObject({ ok: true, drifted: true });
    expect(service(report, 'qdrant')?.drift).toEqual([
      { what: 'specification' },
      { what: 'memory', runs: '64 MiB', wanted: expect.stringMatching(/^\d+ MiB$/) },
      { what: 'networks', runs: 'dev-old', wanted: expect.stringContaining('dev-rag-api--qdrant') },
    ]);
  });

  test('another image than the tag means now', async () => {
    const engine = await statusEngine(environment);
    engine.images = [...engine.images, { Id: 'sha256:feedfacecafe0000', RepoTags: ['qdrant/qdrant:v1.0.0'] }];
    changes(engine, 'dev-qdrant', { Image: 'sha256:feedfacecafe0000' });
    const report = await status(engine);

    expect(service(report, 'qdrant')).toMatchObject({
      image: { reference: 'qdrant/qdrant:v1.0.0' },
      drift: [{ what: 'image', runs: 'qdrant/qdrant:v1.0.0', wanted: expect.stringMatching(/^qdrant\/qdrant:v1\./) }],
    });
  });

  test('containers of the environment that are no part of it any more', async () => {
    const engine = await statusEngine(environment);
    const container = (name: string, labels: object) => ({
      Id: name,
      Names: [`/${name}`],
      State: 'exited',
      Labels: { 'ragdock.environment': 'dev', ...labels },
    });
    engine.others.push(
      container('dev-vectors', { 'ragdock.service': 'vectors' }),
      container('dev-qdrant-2', { 'ragdock.service': 'qdrant' }),
      container('dev-vectors-files', { 'ragdock.files-of': 'vectors' }),
      container('dev-qdrant-files', { 'ragdock.files-of': 'qdrant' }),
      container('dev-operator-ask-1', { 'ragdock.session': 'ask' }),
      container('prod-vectors', { 'ragdock.environment': 'prod', 'ragdock.service': 'vectors' }),
    );
    const report = await status(engine);

    expect(report).toMatchObject({ ok: true, drifted: true });
    expect(report.leftOver.map(({ container }) => container)).toEqual([
      'dev-qdrant-2',
      'dev-vectors',
      'dev-vectors-files',
    ]);
  });

  test('a network and a volume that are missing', async () => {
    const engine = await statusEngine(environment);
    engine.networks = engine.networks.filter((name) => name !== 'dev-rag-api--qdrant');
    engine.volumes = engine.volumes.filter((name) => name !== 'dev-qdrant-snapshots');
    const report = await status(engine);

    expect(report.drifted).toBe(true);
    expect([...report.networks, ...report.volumes].filter(({ present }) => !present).map(({ name }) => name)).toEqual([
      'dev-rag-api--qdrant',
      'dev-qdrant-snapshots',
    ]);
  });
});

test('an engine that does not tell what a container uses tells the rest', async () => {
  const engine = await statusEngine(environment);
  engine.stats.clear();

  expect(service(await status(engine), 'qdrant')?.memory).toEqual({ limitBytes: expect.any(Number) });
});

test('with no service of it there, the environment is not deployed', async () => {
  const engine = await statusEngine(environment);
  for (const name of engine.states.keys()) if (name !== 'dev-qdrant-collections') engine.states.delete(name);

  await expect(status(engine)).rejects.toMatchObject({ code: 'STACK_NOT_DEPLOYED' });
});

test('servers that somebody else runs are told with their addresses and who asks them', async () => {
  const external = devWith(
    ({ services }) => {
      services.qdrant = { external: { url: 'https://vectors.example' } };
    },
    { lock: undefined },
  );
  const engine = await statusEngine(external);
  const report = await readStatus(await connectEngine(engine.address), external, {
    secrets: [],
    signal: new AbortController().signal,
    expected: expectedOf(external),
  });

  expect(StatusReport.parse(report)).toMatchObject({ ok: true, drifted: false });
  expect(report.external).toEqual([
    { name: 'qdrant', url: 'https://vectors.example:443', clients: ['qdrant-collections', 'rag-api'] },
  ]);
  expect(report.services.map(({ name }) => name)).not.toContain('qdrant');
  expect(formatStatus(report, (_style, text) => text)).toContain('External   https://vectors.example:443  qdrant\n');
  expect((await status(await statusEngine(environment))).external).toEqual([]);
});
