import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Board } from '../../src/apps/operator/smoke/board.js';
import type { ServiceChecks } from '../../src/apps/operator/smoke/check.js';
import { exporterChecks } from '../../src/apps/operator/smoke/exporters.js';
import { postgresChecks } from '../../src/apps/operator/smoke/postgres.js';
import { judgeTargets, prometheusChecks, type ScrapedTarget } from '../../src/apps/operator/smoke/prometheus.js';
import { sameSetting } from '../../src/apps/operator/smoke/quantity.js';
import { ragApiChecks } from '../../src/apps/operator/smoke/rag-api.js';
import { hasSample } from '../../src/apps/operator/smoke/scrape.js';
import { askInChat, webBotChecks } from '../../src/apps/operator/smoke/web-bot.js';
import { startBot } from '../apps/web-bot/harness.js';
import { closedPort, type Handler, json, ScriptedServer } from '../support/http-server.js';
import { KEY, RunningRagApi } from '../support/rag-api.js';
import { secretFile } from './support/secret-file.js';
import { failureOf } from './support/verdict.js';

let server: ScriptedServer;

beforeEach(async () => {
  server = await ScriptedServer.start((_, response) => json(response, 500, {}));
});

afterEach(() => server.close());

function run(checks: ServiceChecks, name: string, signal = AbortSignal.timeout(5000)): Promise<void> {
  const found = checks.checks.find((check) => check.name === name);
  if (!found) throw new Error(`there is no check '${name}' among ${checks.checks.map((it) => it.name).join(', ')}`);
  return found.run(signal);
}

const plain =
  (status: number, text: string, type = 'text/plain'): Handler =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': type }).end(text);

describe('the RAG API', () => {
  const checksOf = (url: string, key = KEY) =>
    ragApiChecks({ kind: 'rag-api', id: 'rag-api', needs: [], url, keyFile: secretFile(key) });

  test('as it is passes', async () => {
    const api = await RunningRagApi.start();
    try {
      const checks = checksOf(api.url);
      await run(checks, 'refuses a wrong key');
      await run(checks, 'takes its key');
    } finally {
      await api.stop();
    }
  });

  test('with another key than ours fails, for good', async () => {
    const api = await RunningRagApi.start();
    try {
      const failure = await failureOf(run(checksOf(api.url, 'not-its-key'), 'takes its key'));
      expect(failure.finding).toMatchObject({
        expected: '404: there is no exchange of this id',
        came: expect.stringMatching(/^401 .*UNAUTHORIZED/),
      });
      expect(failure.final).toBe(true);
    } finally {
      await api.stop();
    }
  });

  test('that lets everybody in fails', async () => {
    server.handler = plain(200, 'Ответ');
    const failure = await failureOf(run(checksOf(server.url), 'refuses a wrong key'));
    expect(failure.finding).toMatchObject({ asked: expect.stringContaining('with no key'), came: '200 Ответ' });
  });

  test('that is not ready says what it waits for', async () => {
    server.handler = (_, response) => json(response, 503, { ready: false, checks: { llm: { ok: false } } });
    const failure = await failureOf(checksOf(server.url).ready(AbortSignal.timeout(5000)));
    expect(failure.finding.came).toContain('"llm":{"ok":false}');
  });
});

const QUESTION = { message: 'Что такое RAG?', user: 'ragdock-smoke-r1', course: 'demo' };

describe('the web bot', () => {
  const checksOf = (url: string) => webBotChecks({ kind: 'web-bot', id: 'web-bot', needs: [], url });
  const soon = () => AbortSignal.timeout(5000);

  test('as it is passes, and answers in the chat', async () => {
    const { url } = await startBot();
    const checks = checksOf(url);
    await checks.ready(soon());
    await run(checks, 'Socket.IO handshake');
    const answer = await askInChat(url, QUESTION, soon());
    expect(answer.finished.ok).toBe(true);
    expect(answer.text).not.toBe('');
  });

  test('without a page, or with something else in its place, is not ready', async () => {
    server.handler = plain(200, '{}', 'application/json');
    const failure = await failureOf(checksOf(server.url).ready(soon()));
    expect(failure.finding).toMatchObject({ expected: '200 and a page', came: '200 {} (application/json)' });
  });

  test('without a token fails, and does not tell what came instead', async () => {
    server.handler = plain(200, '{"tokens":"canary"}', 'application/json');
    const { finding } = await failureOf(run(checksOf(server.url), 'Socket.IO handshake'));
    expect(finding).toMatchObject({ expected: '200 and a token', came: '200, and something else' });
  });

  test('without a handshake fails', async () => {
    const page = plain(200, '<!doctype html>', 'text/html');
    const session = plain(200, '{"token":"x"}', 'application/json');
    server.handler = (asked, response) => (asked.path === '/session' ? session : page)(asked, response);
    await checksOf(server.url).ready(soon());
    expect((await failureOf(run(checksOf(server.url), 'Socket.IO handshake'))).finding.expected).toBe('a connection');
  });

  test('that refuses a question fails with its code', async () => {
    const { url } = await startBot();
    const failure = await failureOf(askInChat(url, { ...QUESTION, course: 'no such course' }, soon()));
    expect(failure.finding.came).toMatch(/^refused: /);
  });

  test('whose API is gone fails with what it says to the reader', async () => {
    const { url } = await startBot({}, { apiUrl: `http://127.0.0.1:${await closedPort()}` });
    const failure = await failureOf(askInChat(url, QUESTION, soon()));
    expect(failure.finding.came).toMatch(/^bot_finished with ok: false/);
  });
});

describe('PostgreSQL', () => {
  test.each([
    ['1GB', '1024MB', true],
    ['256MB', '262144kB', true],
    ['1min', '60s', true],
    ['0.90', '0.9', true],
    [true, 'on', true],
    [false, 'off', true],
    [100, '100', true],
    ['-1', -1, true],
    ['0s', '0', true],
    ['0ms', 0, true],
    ['0MB', '0', true],
    ['0s', '1s', false],
    ['scram-sha-256', 'scram-sha-256', true],
    ['256MB', '128MB', false],
    ['16MB', '16', false],
    ['500ms', '500s', false],
    [100, '101', false],
    [true, 'off', false],
    ['a', 'b', false],
  ])('the settings %s and %s mean the same: %s', (asked, came, same) => {
    expect(sameSetting(asked, came)).toBe(same);
  });

  test('that does not listen is waited for', async () => {
    const checks = postgresChecks(
      {
        kind: 'postgres',
        id: 'postgres',
        needs: [],
        url: `postgresql://rag_api@127.0.0.1:${await closedPort()}/ml_db`,
        passwordFile: secretFile('password'),
        settings: {},
      },
      'ragdock-smoke-r1',
    );
    const failure = await failureOf(checks.ready(AbortSignal.timeout(5000)));
    expect(failure.finding.came).toContain('nothing listens there');
    expect(failure.final).toBe(false);
  });
});

describe('Prometheus', () => {
  const SINCE = Date.parse('2026-11-22T10:00:00Z');
  const target = (instance: string, changes: Partial<ScrapedTarget> = {}): ScrapedTarget => ({
    labels: { instance },
    health: 'up',
    lastError: '',
    lastScrape: '2026-11-22T10:00:01Z',
    ...changes,
  });
  const EXPECTED = [{ service: 'qdrant', instance: 'dev-qdrant:9090' }];

  test.each([
    ['scraped since, and well', [target('dev-qdrant:9090')], []],
    ['no target at all', [], ['dev-qdrant:9090 is no target']],
    [
      'down',
      [target('dev-qdrant:9090', { health: 'down', lastError: 'connection refused' })],
      ['dev-qdrant:9090 is down: connection refused'],
    ],
    [
      'up when it was looked at last, which was before',
      [target('dev-qdrant:9090', { lastScrape: '2026-11-22T09:59:59Z' })],
      ['dev-qdrant:9090 was not scraped since'],
    ],
    [
      'never looked at',
      [target('dev-qdrant:9090', { health: 'unknown', lastScrape: '0001-01-01T00:00:00Z' })],
      ['dev-qdrant:9090 was not scraped since'],
    ],
    [
      'beside another one that is down',
      [target('dev-qdrant:9090'), target('strange:1', { health: 'down', lastError: 'no route' })],
      ['strange:1 is down: no route'],
    ],
  ])('a target that is %s', (_, active, came) => {
    expect(judgeTargets(EXPECTED, active, SINCE).map((it) => it.came)).toEqual(came);
  });

  const checksOf = (board = new Board(), ruleGroups: string[] = []) =>
    prometheusChecks(
      {
        kind: 'prometheus',
        id: 'prometheus',
        needs: [],
        url: server.url,
        scrapeSeconds: 1,
        targets: EXPECTED,
        ruleGroups,
        alertmanagers: [],
      },
      board,
    );
  const api = (answers: Readonly<Record<string, unknown>>): Handler => {
    return (request, response) => json(response, 200, { data: answers[request.path.replace(/\?.*/, '')] });
  };

  test('waits until its targets were scraped anew', async () => {
    let looks = 0;
    server.handler = (_, response) => {
      looks += 1;
      const lastScrape = new Date(looks < 3 ? 0 : Date.now() + 1000).toISOString();
      json(response, 200, { data: { activeTargets: [target('dev-qdrant:9090', { lastScrape })] } });
    };
    await run(checksOf(), 'targets');
    expect(looks).toBe(3);
  });

  test('does not wait for a service that has failed', async () => {
    const down = [target('dev-qdrant:9090', { health: 'down', lastError: 'refused' })];
    server.handler = api({ '/api/v1/targets': { activeTargets: down } });
    const board = new Board();
    board.fail('qdrant', 'stopped');
    expect((await failureOf(run(checksOf(board), 'targets'))).finding.came).toBe('dev-qdrant:9090 is down: refused');
  });

  test('says what it saw last when the time is up', async () => {
    const down = [target('dev-qdrant:9090', { health: 'down', lastError: 'refused' })];
    server.handler = api({ '/api/v1/targets': { activeTargets: down } });
    const failure = await failureOf(run(checksOf(), 'targets', AbortSignal.timeout(800)));
    expect(failure.finding.came).toBe('dev-qdrant:9090 is down: refused');
  });

  test('fails with a rule that fails', async () => {
    const rules = [
      { name: 'QdrantDown', health: 'ok' },
      { name: 'Broken', health: 'err', lastError: 'many-to-many matching' },
    ];
    server.handler = api({ '/api/v1/rules': { groups: [{ name: 'rag', rules }] } });
    const failure = await failureOf(run(checksOf(), 'rules'));
    expect(failure.finding.came).toBe('rag/Broken: many-to-many matching');
  });

  test('fails without a group of rules that it was given, and is given time to read it', async () => {
    const groups = [{ name: 'services', rules: [{ name: 'ServiceDown', health: 'ok' }] }];
    server.handler = api({ '/api/v1/rules': { groups } });
    const checks = checksOf(new Board(), ['services', 'qdrant']);
    expect((await failureOf(run(checks, 'rules', AbortSignal.timeout(800)))).finding).toMatchObject({
      expected: 'the groups services, qdrant, every rule evaluated',
      came: 'no group qdrant',
    });

    let looks = 0;
    server.handler = (_, response) => {
      looks += 1;
      const read = looks < 2 ? groups : [...groups, { name: 'qdrant', rules: [] }];
      json(response, 200, { data: { groups: read } });
    };
    await run(checks, 'rules');
    expect(looks).toBe(2);
  });

  test('fails when nothing of what it scraped can be read back', async () => {
    let query = '';
    let result: readonly object[] = [];
    server.handler = (request, response) => {
      query = new URL(request.path, server.url).searchParams.get('query') ?? query;
      json(response, 200, { data: { result } });
    };
    const failure = await failureOf(run(checksOf(), 'stores samples', AbortSignal.timeout(800)));
    expect(failure.finding).toMatchObject({
      expected: expect.stringMatching(/^a sample that was taken after /),
      came: 'none',
    });
    expect(query).toBe('up[12s]');

    // Of a time before the disk was full.
    const former = Date.now() / 1000 - 5;
    const samplesOf = (...times: readonly number[]) => [
      { metric: { job: 'qdrant' }, values: times.map((at) => [at, '1']) },
    ];
    result = samplesOf(former - 15, former);
    const stopped = await failureOf(run(checksOf(), 'stores samples', AbortSignal.timeout(800)));
    expect(stopped.finding.came).toBe(`the newest is of ${new Date(former * 1000).toISOString()}`);

    const checks = checksOf();
    result = samplesOf(former, Date.now() / 1000 + 1);
    await run(checks, 'stores samples');
  });

  test('waits for rules that were not evaluated yet', async () => {
    let looks = 0;
    server.handler = (_, response) => {
      looks += 1;
      const rules = [{ name: 'QdrantDown', health: looks < 2 ? 'unknown' : 'ok' }];
      json(response, 200, { data: { groups: [{ name: 'rag', rules }] } });
    };
    await run(checksOf(), 'rules');
    expect(looks).toBe(2);
  });

  test.each([
    ['prometheus_config_last_reload_successful 1\n', true],
    ['prometheus_config_last_reload_successful 0\n', false],
    ['# HELP prometheus_config_last_reload_successful Whether …\n', false],
  ])('knows whether its configuration was taken: %j', async (metrics, good) => {
    server.handler = plain(200, metrics);
    if (good) await run(checksOf(), 'configuration');
    else expect((await failureOf(run(checksOf(), 'configuration'))).finding.expected).toContain('successful 1');
  });
});

describe('the node exporter', () => {
  const checks = () =>
    exporterChecks({ kind: 'exporter', exporter: 'node', id: 'node-exporter', needs: [], url: server.url });
  const METRICS = [
    'node_uname_info{machine="x86_64"} 1',
    'node_cpu_seconds_total{cpu="0",mode="idle"} 5',
    'node_memory_MemTotal_bytes 8e9',
    'node_filesystem_avail_bytes{mountpoint="/"} 1e9',
  ];

  test('with the metrics of the host passes', async () => {
    server.handler = plain(200, METRICS.join('\n'));
    await checks().ready(AbortSignal.timeout(5000));
    await run(checks(), 'metrics');
  });

  test('without the host’s file systems fails', async () => {
    server.handler = plain(200, METRICS.slice(0, 3).join('\n'));
    const failure = await failureOf(run(checks(), 'metrics'));
    expect(failure.finding.came).toBe('no node_filesystem_avail_bytes');
  });

  test('a name in a comment, or another one that begins so, is no sample', () => {
    expect(hasSample('# HELP up Whether\n# TYPE up gauge\nup_total 1\n', 'up')).toBe(false);
    expect(hasSample('up 1\n', 'up')).toBe(true);
    expect(hasSample('up{job="a"} 1\n', 'up')).toBe(true);
  });
});
