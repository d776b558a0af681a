import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentExporterChecks } from '../../src/apps/operator/smoke/agent-exporter.js';
import { alertmanagerChecks } from '../../src/apps/operator/smoke/alertmanager.js';
import { Board } from '../../src/apps/operator/smoke/board.js';
import type { ServiceChecks } from '../../src/apps/operator/smoke/check.js';
import { exporterChecks } from '../../src/apps/operator/smoke/exporters.js';
import { grafanaChecks } from '../../src/apps/operator/smoke/grafana.js';
import { prometheusChecks } from '../../src/apps/operator/smoke/prometheus.js';
import { SessionAccess } from '../../src/operator/session-access.js';
import { stackOf } from '../../src/operator/stack.js';
import { targetsOf } from '../../src/smoke/targets.js';
import { deployed } from '../operator/support/inventory.js';
import { devWith } from '../support/environments.js';
import { json, ScriptedServer } from '../support/http-server.js';
import { secretFile } from './support/secret-file.js';
import { failureOf } from './support/verdict.js';

let server: ScriptedServer;
/** What the server answers, by path; 404 for the rest. */
let answers: Record<string, unknown>;

beforeEach(async () => {
  answers = {};
  server = await ScriptedServer.start(({ path, headers }, response) => {
    const login = Buffer.from('admin:the-password').toString('base64');
    const open = /^\/(-\/ready|metrics|api\/health|api\/v1\/.*)$/.test(path);
    if (!open && headers.authorization !== `Basic ${login}`) return json(response, 401, { message: 'Unauthorized' });
    const answer = answers[path];
    if (typeof answer === 'string') return void response.writeHead(200, { 'content-type': 'text/plain' }).end(answer);
    return json(response, answer === undefined ? 404 : 200, answer ?? { message: 'not found' });
  });
});

afterEach(() => server.close());

const soon = () => AbortSignal.timeout(3000);
function run(checks: ServiceChecks, name: string, signal = soon()): Promise<void> {
  const found = checks.checks.find((check) => check.name === name);
  if (!found) throw new Error(`there is no check '${name}'`);
  return found.run(signal);
}

describe('Grafana', () => {
  const checks = (password = 'the-password', dashboards = ['one', 'two']) =>
    grafanaChecks({
      kind: 'grafana',
      id: 'grafana',
      needs: ['prometheus'],
      url: server.url,
      passwordFile: secretFile(password),
      dataSource: 'prometheus',
      dashboards,
    });
  const provisioned = { meta: { provisioned: true } };

  beforeEach(() => {
    answers = {
      '/api/health': { database: 'ok' },
      '/api/user': { login: 'admin' },
      '/api/search': [],
      '/api/datasources/uid/prometheus': { type: 'prometheus' },
      '/api/datasources/uid/prometheus/health': { status: 'OK' },
      '/api/dashboards/uid/one': provisioned,
      '/api/dashboards/uid/two': provisioned,
    };
  });

  test('as it is passes', async () => {
    await checks().ready(soon());
    for (const { name } of checks().checks) await run(checks(), name);
  });

  test('whose database fails is not ready', async () => {
    answers['/api/health'] = { database: 'failing' };
    expect((await failureOf(checks().ready(soon()))).finding.expected).toBe('database: ok');
  });

  test('that lets everybody in fails', async () => {
    server.handler = (_, response) => json(response, 200, []);
    const failure = await failureOf(run(checks(), 'refuses who has no login'));
    expect(failure.finding).toMatchObject({ asked: expect.stringContaining('without a login'), expected: '401' });
  });

  test('with another password than ours fails, for good', async () => {
    expect((await failureOf(run(checks('another'), 'takes its password'))).final).toBe(true);
  });

  test('without its data source, or with one that does not answer, fails', async () => {
    answers['/api/datasources/uid/prometheus/health'] = { status: 'ERROR', message: 'connection refused' };
    expect((await failureOf(run(checks(), 'data source'))).finding.came).toContain('connection refused');
    delete answers['/api/datasources/uid/prometheus'];
    expect((await failureOf(run(checks(), 'data source'))).finding.expected).toBe('200: the data source prometheus');
  });

  test('is given time to read a dashboard, but not without an end', async () => {
    delete answers['/api/dashboards/uid/two'];
    const failure = await failureOf(run(checks(), 'dashboards', AbortSignal.timeout(300)));
    expect(failure.finding.asked).toContain('/api/dashboards/uid/two');
    setTimeout(() => {
      answers['/api/dashboards/uid/two'] = provisioned;
    }, 100);
    await run(checks(), 'dashboards');
  });

  test('with a dashboard that somebody made in its place fails', async () => {
    answers['/api/dashboards/uid/two'] = { meta: { provisioned: false } };
    expect((await failureOf(run(checks(), 'dashboards'))).finding.came).toContain('by hand');
  });
});

describe('Alertmanager', () => {
  const checks = () => alertmanagerChecks({ kind: 'alertmanager', id: 'alertmanager', needs: [], url: server.url });

  test('with its configuration passes', async () => {
    answers = { '/-/ready': 'OK', '/metrics': 'alertmanager_config_last_reload_successful 1\n' };
    await checks().ready(soon());
    await run(checks(), 'configuration');
  });

  test('without it fails', async () => {
    answers = { '/metrics': 'alertmanager_config_last_reload_successful 0\n' };
    expect((await failureOf(run(checks(), 'configuration'))).finding.came).toMatch(/successful 0$/);
  });
});

describe('the exporter of PostgreSQL', () => {
  const checks = () =>
    exporterChecks({ kind: 'exporter', exporter: 'postgres', id: 'postgres-exporter', needs: [], url: server.url });

  test.each(['# TYPE pg_up gauge\npg_up 1\n', 'pg_up{server="postgres:5432"} 1\n'])('passes with %j', async (text) => {
    answers = { '/metrics': text };
    await checks().ready(soon());
    await run(checks(), 'logs in to PostgreSQL');
  });

  test.each([
    ['pg_up 0\n', 'pg_up 0'],
    ['# HELP pg_up Whether\n', 'no pg_up'],
  ])('fails with %j', async (text, came) => {
    answers = { '/metrics': text };
    expect((await failureOf(run(checks(), 'logs in to PostgreSQL'))).finding).toMatchObject({
      expected: 'pg_up 1',
      came,
    });
  });
});

describe('the exporter of graphics cards', () => {
  const checks = () =>
    exporterChecks({ kind: 'exporter', exporter: 'dcgm', id: 'dcgm-exporter', needs: [], url: server.url });
  const wanted = ['GPU_UTIL', 'FB_USED', 'GPU_TEMP', 'POWER_USAGE'].map((name) => `DCGM_FI_DEV_${name}`);

  test('passes with the metrics of a card whose name has spaces', async () => {
    answers = { '/metrics': wanted.map((name) => `${name}{gpu="0",modelName="NVIDIA L4"} 0\n`).join('') };
    await checks().ready(soon());
    await run(checks(), 'metrics');
  });

  test('fails without a card', async () => {
    answers = { '/metrics': '\n' };
    expect((await failureOf(run(checks(), 'metrics'))).finding).toMatchObject({
      expected: wanted.join(', '),
      came: wanted.map((name) => `no ${name}`).join(', '),
    });
  });
});

describe('the agent exporter', () => {
  const checks = () =>
    agentExporterChecks({
      kind: 'agent-exporter',
      id: 'agent-exporter',
      needs: [],
      url: server.url,
      collections: ['a', 'b'],
    });
  const scrape = (counts: number, ...collections: string[]) =>
    [
      `rag_exporter_up{source="counts"} ${counts}`,
      'rag_exporter_up{source="qdrant"} 1',
      ...collections.map((name) => `rag_knowledge_points{collection="${name}"} 0`),
      '',
    ].join('\n');
  const failure = async () => (await failureOf(run(checks(), 'reads its sources', AbortSignal.timeout(300)))).finding;

  test('that reads everything passes, at last', async () => {
    answers = { '/metrics': scrape(0, 'a', 'b') };
    await checks().ready(soon());
    setTimeout(() => {
      answers = { '/metrics': scrape(1, 'a', 'b') };
    }, 100);
    await run(checks(), 'reads its sources');
  });

  test('that cannot read a source fails', async () => {
    answers = { '/metrics': scrape(0, 'a', 'b') };
    expect((await failure()).came).toContain('rag_exporter_up{source="counts"} 0');
    answers = { '/metrics': 'up 1\n' };
    expect((await failure()).came).toBe('no such metric');
  });

  test('that does not know a collection fails', async () => {
    answers = { '/metrics': scrape(1, 'a') };
    expect(await failure()).toMatchObject({ expected: 'points of a, b', came: 'none of b' });
  });
});

describe('Prometheus', () => {
  const checks = (...alertmanagers: string[]) =>
    prometheusChecks(
      {
        kind: 'prometheus',
        id: 'prometheus',
        needs: [],
        url: server.url,
        scrapeSeconds: 1,
        targets: [],
        ruleGroups: [],
        alertmanagers,
      },
      new Board([]),
    );
  const sendsTo = (...hosts: string[]) => ({
    data: { activeAlertmanagers: hosts.map((host) => ({ url: `http://${host}/api/v2/alerts` })) },
  });

  test('is asked where it sends alerts only if it sends some', () => {
    expect(checks().checks.map(({ name }) => name)).not.toContain('alertmanagers');
  });

  test('that knows its Alertmanager passes, and another fails', async () => {
    answers = { '/api/v1/alertmanagers': sendsTo('dev-alertmanager:9093') };
    await run(checks('dev-alertmanager:9093'), 'alertmanagers');
    answers = { '/api/v1/alertmanagers': sendsTo() };
    const failure = await failureOf(run(checks('dev-alertmanager:9093'), 'alertmanagers'));
    expect(failure.finding).toMatchObject({ expected: 'dev-alertmanager:9093', came: 'none' });
  });
});

test('every one of them is asked in a stack that has it, with what it takes', () => {
  const stack = stackOf(
    devWith(
      (yaml) => {
        yaml.services.prometheus = { alerts: true };
        yaml.services.agentExporter = { enabled: true, scrapeInterval: '2m' };
        yaml.services.postgresExporter = { enabled: true };
        yaml.services.alertmanager = { enabled: true };
        yaml.services.embeddings = { enabled: true, dimension: 768 };
        yaml.services.dcgmExporter = { enabled: true };
        yaml.services.grafana = { enabled: true };
      },
      { lock: undefined },
    ),
  );
  const sources = targetsOf(stack);
  // One user has to be able to read the credentials of all that is asked.
  const access = new SessionAccess(
    stack.topology,
    sources.flatMap(({ endpoints }) => endpoints),
    deployed(stack),
  );
  const targets = new Map(sources.map(({ target }) => [target(access).id, target(access)]));
  expect(access.user).toEqual({ uid: 1000, gid: 1000 });
  expect(targets.get('grafana')).toEqual({
    kind: 'grafana',
    id: 'grafana',
    needs: expect.arrayContaining(['prometheus']),
    url: 'http://dev-grafana:3000',
    passwordFile: '/run/secrets/grafana-admin/grafana-admin-password',
    dataSource: 'prometheus',
    dashboards: ['ragdock-system-overview', 'ragdock-rag-api', 'ragdock-llm', 'ragdock-qdrant'],
  });
  expect(targets.get('alertmanager')).toMatchObject({ url: 'http://dev-alertmanager:9093', needs: [] });
  expect(targets.get('embeddings')).toEqual({
    kind: 'embeddings',
    id: 'embeddings',
    needs: [],
    url: 'http://dev-embeddings:8080',
    keyFile: '/run/secrets/embeddings/embeddings-api-key',
    model: 'deepvk/USER-bge-m3',
    dimension: 768,
  });
  expect(targets.get('dcgm-exporter')).toMatchObject({ exporter: 'dcgm', url: 'http://dev-dcgm-exporter:9400' });
  expect(targets.get('agent-exporter')).toMatchObject({
    url: 'http://dev-agent-exporter:9090',
    needs: ['postgres', 'qdrant'],
    collections: ['BD_curs_data', 'BD_chat_question', 'BD_organization_question'],
  });
  expect(targets.get('postgres-exporter')).toMatchObject({
    exporter: 'postgres',
    url: 'http://dev-postgres-exporter:9187',
    needs: ['postgres'],
  });
  expect(targets.get('prometheus')).toMatchObject({
    // The longest of all: until then a target may not have been asked again.
    scrapeSeconds: 120,
    ruleGroups: expect.arrayContaining(['services', 'qdrant', 'host']),
    alertmanagers: ['dev-alertmanager:9093'],
    targets: expect.arrayContaining([
      { service: 'postgres-exporter', instance: 'dev-postgres-exporter:9187' },
      { service: 'alertmanager', instance: 'dev-alertmanager:9093' },
    ]),
  });
});
