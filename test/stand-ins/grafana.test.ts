import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Grafana, Prometheus } from '../../constructs/services/index.js';
import { updateGrafanaAdmin } from '../../src/apps/jobs/grafana-admin.js';
import { grafanaChecks } from '../../src/apps/operator/smoke/grafana.js';
import { temporaryFolder } from '../support/folder.js';
import { closedPort, json, ScriptedServer } from '../support/http-server.js';
import { synthesiseWorkloads } from '../support/synth.js';
import { GrafanaProcess, putFiles } from './grafana/harness/server.js';
import { python } from './qdrant/harness/venv.js';

const PASSWORD = 'the-first-password';

// The first run makes the environment, which takes longer than a test.
beforeAll(async () => void (await python('grafana')));

/** The files that the construct gives to Grafana, with the address of another Prometheus. */
function constructFiles(prometheusUrl: string): Record<string, string> {
  const stack = synthesiseWorkloads((scope) => {
    const { http } = new Prometheus(scope, 'prometheus');
    new Grafana(scope, 'grafana', { prometheus: http });
  });
  return Object.fromEntries(
    Object.entries(stack.files('grafana_files')).map(([path, content]) => [
      path
        .replace('/ragdock/etc-grafana-provisioning-', '/etc/grafana/provisioning/')
        .replace('/ragdock/etc-', '/etc/')
        .replace('grafana-dashboards', 'grafana/dashboards'),
      content.replace('http://test-prometheus:9090', prometheusUrl),
    ]),
  );
}

async function prometheus(): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(({ path, method, body }, response) => {
    json(response, 200, { status: 'success', data: { asked: `${method} ${path}`, body } });
  });
  onTestFinished(() => server.close());
  return server;
}

async function started(folder: string, env: Readonly<Record<string, string>> = {}): Promise<GrafanaProcess> {
  const server = await GrafanaProcess.start(folder, env);
  onTestFinished(() => void server.child.kill('SIGKILL'));
  return server;
}

function withPassword(folder: string, password = PASSWORD, version = 1): Record<string, string> {
  const file = join(folder, `admin-password.v${version}`);
  writeFileSync(file, `${password}\n`);
  return { GF_SECURITY_ADMIN_PASSWORD: `$__file{${file}}` };
}

const as = (password: string) => ({ headers: { authorization: `Basic ${btoa(`admin:${password}`)}` } });
const ask = (server: GrafanaProcess, path: string, init: RequestInit = as(PASSWORD)) =>
  fetch(`${server.url}${path}`, init);

describe('with what the construct gives it', () => {
  test('every smoke check of Grafana passes', async () => {
    const folder = temporaryFolder();
    const files = constructFiles((await prometheus()).url);
    putFiles(folder, files);
    const server = await (await started(folder, withPassword(folder))).ready();
    const uids = Object.keys(files).flatMap((path) => /dashboards\/([^/]+)\.json$/.exec(path)?.[1] ?? []);
    expect(uids).toContain('ragdock-qdrant');
    const { ready, checks } = grafanaChecks({
      kind: 'grafana',
      id: 'grafana',
      needs: [],
      url: server.url,
      passwordFile: join(folder, 'admin-password'),
      dataSource: 'prometheus',
      dashboards: uids,
    });
    await ready(AbortSignal.timeout(5000));
    for (const check of checks) await check.run(AbortSignal.timeout(5000));
    const search = (await (await ask(server, '/api/search?type=dash-db')).json()) as { uid: string }[];
    expect(search.map(({ uid }) => uid).sort()).toEqual([...uids].sort());
    expect(await server.stop()).toBe(0);
  });

  test('a Prometheus that is not there shows in the health of the data source', async () => {
    const folder = temporaryFolder();
    putFiles(folder, constructFiles(`http://127.0.0.1:${await closedPort()}`));
    const server = await (await started(folder, withPassword(folder))).ready();
    const answer = await ask(server, '/api/datasources/uid/prometheus/health');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ status: 'ERROR' });
  });

  test('the proxy passes questions on', async () => {
    const folder = temporaryFolder();
    putFiles(folder, constructFiles((await prometheus()).url));
    const server = await (await started(folder, withPassword(folder))).ready();
    const path = '/api/datasources/proxy/uid/prometheus/api/v1/query';
    const get = await ask(server, `${path}?query=up`);
    expect((await get.json()) as unknown).toMatchObject({ data: { asked: 'GET /api/v1/query?query=up' } });
    const post = await ask(server, path, { ...as(PASSWORD), method: 'POST', body: 'query=up' });
    expect((await post.json()) as unknown).toMatchObject({ data: { asked: 'POST /api/v1/query', body: 'query=up' } });
  });

  test('a changed dashboard is reread, and a removed one goes', async () => {
    const folder = temporaryFolder();
    const provider = '/etc/grafana/provisioning/dashboards/one.yaml';
    putFiles(folder, {
      [provider]:
        'apiVersion: 1\nproviders: [{name: x, type: file, updateIntervalSeconds: 1, options: {path: /etc/grafana/d}}]\n',
      '/etc/grafana/d/a.json': '{"uid": "a", "title": "Before"}',
    });
    const server = await (await started(folder, withPassword(folder))).ready();
    const title = async () => {
      const answer = await ask(server, '/api/dashboards/uid/a');
      return answer.ok ? ((await answer.json()) as { dashboard: { title: string } }).dashboard.title : answer.status;
    };
    expect(await title()).toBe('Before');
    putFiles(folder, { '/etc/grafana/d/a.json': '{"uid": "a", "title": "After"}' });
    await expect.poll(title, { timeout: 5000 }).toBe('After');
    const save = { ...as(PASSWORD), method: 'POST', body: JSON.stringify({ dashboard: { uid: 'a', title: 'Mine' } }) };
    expect((await ask(server, '/api/dashboards/db', save)).status).toBe(400);
    rmSync(join(folder, 'etc/grafana/d/a.json'));
    await expect.poll(title, { timeout: 5000 }).toBe(404);
  });
});

describe('the password', () => {
  test('of the file is taken for a new database only, and the job changes it', async () => {
    const folder = temporaryFolder();
    const first = await (await started(folder, withPassword(folder))).ready();
    expect((await ask(first, '/api/user')).status).toBe(200);
    await first.stop();

    const again = await (await started(folder, withPassword(folder, 'the-second-password', 2))).ready();
    expect((await ask(again, '/api/user', as('the-second-password'))).status).toBe(401);
    const passwordFile = join(folder, 'admin-password');
    await updateGrafanaAdmin({ deadlineSeconds: 5 }, { url: again.url, passwordFile }, () => undefined);
    expect((await ask(again, '/api/user', as('the-second-password'))).status).toBe(200);
    expect((await ask(again, '/api/user')).status).toBe(401);
  });

  test('five wrong ones shut the right one out', async () => {
    const folder = temporaryFolder();
    const server = await (await started(folder, withPassword(folder))).ready();
    for (let tries = 0; tries < 5; tries++) expect((await ask(server, '/api/user', as('wrong'))).status).toBe(401);
    expect((await ask(server, '/api/user')).status).toBe(401);
  });

  test('that missed rotations is changed by the job, which shuts nobody out where it cannot', async () => {
    const folder = temporaryFolder();
    const env = withPassword(folder);
    for (const version of [2, 3, 4]) withPassword(folder, `the-password-${version}`, version);
    const server = await (await started(folder, env)).ready();
    const update = () =>
      updateGrafanaAdmin(
        { deadlineSeconds: 5 },
        { url: server.url, passwordFile: join(folder, 'admin-password') },
        () => undefined,
      );
    await update();
    expect((await ask(server, '/api/user', as('the-password-4'))).status).toBe(200);

    const another = temporaryFolder();
    const mine = await (await started(another, withPassword(another, 'set-by-hand'))).ready();
    for (const version of [1, 2, 3, 4, 5, 6]) withPassword(another, `the-password-${version}`, version);
    const passwordFile = join(another, 'admin-password');
    await expect(
      updateGrafanaAdmin({ deadlineSeconds: 5 }, { url: mine.url, passwordFile }, () => undefined),
    ).rejects.toThrow(/the 4 newest of 6 tried/);
    expect((await ask(mine, '/api/user', as('set-by-hand'))).status).toBe(200);
  });

  test('nobody gets in without one, but to /api/health and /metrics', async () => {
    const folder = temporaryFolder();
    const server = await (await started(folder, withPassword(folder))).ready();
    for (const path of ['/api/search', '/api/user', '/api/datasources', '/api/dashboards/uid/x']) {
      expect((await ask(server, path, {})).status, path).toBe(401);
    }
    expect((await ask(server, '/metrics', {})).status).toBe(200);
  });

  test('of a file that is not there ends the start', async () => {
    const server = await started(temporaryFolder(), { GF_SECURITY_ADMIN_PASSWORD: '$__file{/nowhere/password}' });
    expect(await server.ended).toMatchObject({ code: 1, output: expect.stringContaining('/nowhere/password') });
  });

  test('is read by the image’s start script from where __FILE says', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'password');
    writeFileSync(file, `${PASSWORD}\n`);
    const server = await (await started(folder, { GF_SECURITY_ADMIN_PASSWORD__FILE: file })).ready();
    expect((await ask(server, '/api/user')).status).toBe(200);
  });

  test('by value and by file at once is refused', async () => {
    const folder = temporaryFolder();
    const server = await started(folder, { ...withPassword(folder), GF_SECURITY_ADMIN_PASSWORD__FILE: '/dev/null' });
    expect(await server.ended).toMatchObject({ code: 1, output: expect.stringContaining('both') });
  });
});

describe('broken provisioning', () => {
  const TWO_DEFAULTS = `
apiVersion: 1
datasources:
  - {name: A, type: prometheus, isDefault: true}
  - {name: B, type: prometheus, isDefault: true}
`;
  test.each([
    ['no YAML', 'datasources', 'datasources: [', 'provisioning error'],
    ['two defaults', 'datasources', TWO_DEFAULTS, 'can be the default'],
    ['a data source without a type', 'datasources', 'datasources: [{name: A}]', 'needs a name and a type'],
    [
      'an unknown access',
      'datasources',
      'datasources: [{name: A, type: prometheus, access: x}]',
      'not proxy or direct',
    ],
    ['a provider without a path', 'dashboards', 'providers: [{name: A, type: file}]', 'options.path is missing'],
  ])('%s ends the start', async (_, kind, content, message) => {
    const folder = temporaryFolder();
    putFiles(folder, { [`/etc/grafana/provisioning/${kind}/x.yaml`]: content });
    expect(await (await started(folder)).ended).toMatchObject({ code: 1, output: expect.stringContaining(message) });
  });

  test('a broken dashboard is told and left out', async () => {
    const folder = temporaryFolder();
    putFiles(folder, {
      '/etc/grafana/provisioning/dashboards/x.yaml': 'providers: [{name: x, options: {path: /etc/grafana/d}}]',
      '/etc/grafana/d/broken.json': '{"uid": "broken"',
      '/etc/grafana/d/good.json': '{"uid": "good", "title": "Good"}',
    });
    const server = await (await started(folder, withPassword(folder))).ready();
    expect((await ask(server, '/api/dashboards/uid/good')).status).toBe(200);
    expect((await ask(server, '/api/dashboards/uid/broken')).status).toBe(404);
    await server.stop();
    expect((await server.ended).output).toContain('failed to load dashboard');
  });
});
