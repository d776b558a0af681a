import { expect, test } from 'vitest';
import { PROVIDER_VERSION } from '../../../../constructs/engines/docker/index.js';
import { SecretRef } from '../../../../constructs/model/index.js';
import { synthesiseWorkloads } from '../../../support/synth.js';
import { aJob, aService } from '../../../support/workloads.js';

test('the provider is pinned to one version, and asked of one engine', () => {
  const { json } = synthesiseWorkloads((stack) => void aService(stack, 'service'), {}, { host: 'ssh://ops@gpu-1' });

  expect(json.terraform.required_providers).toEqual({
    docker: { source: 'kreuzwerker/docker', version: PROVIDER_VERSION },
  });
  expect(PROVIDER_VERSION).toMatch(/^\d+\.\d+\.\d+$/);
  expect(json.provider.docker).toEqual([{ host: 'ssh://ops@gpu-1' }]);
});

test('images are built on the engine that is asked, which docker’s command line may not know', () => {
  const builds = (host: string) => {
    const { json } = synthesiseWorkloads(
      (stack) => {
        const app = aService(stack, 'app', { image: 'bundled-apps' });
        app.addConfigFile({ path: '/etc/app/conf.d/a.conf', content: '', onChange: 'replace' });
      },
      {},
      { host },
    );
    return Object.values<{ build?: { use_legacy_builder?: boolean } }>(json.resource.docker_image).map(
      ({ build }) => build?.use_legacy_builder,
    );
  };

  for (const host of ['ssh://ops@gpu-1', 'tcp://gpu-1:2376', 'unix:///run/other.sock'])
    expect(builds(host), host).toEqual([true, true]);
  expect(builds('unix:///var/run/docker.sock')).toEqual([undefined, undefined]);
});

test('a plan without secrets has to be asked for', () => {
  const { json } = synthesiseWorkloads((stack) => void aService(stack, 'service'));

  expect(json.variable.plan_without_secrets).toMatchObject({ type: 'bool', default: false });
});

test('every resource has the id of its workload, for good', () => {
  const { json } = synthesiseWorkloads((stack) => {
    const server = aService(stack, 'server', { image: { reference: 'registry.example/server:1.2' } });
    server.addConfigFile({ path: '/etc/server/conf.d/a.conf', content: '', onChange: 'replace' });
    server.addSecret(new SecretRef('server-key', 'opens the server'));
    const http = server.expose('http', { scheme: 'http', port: 80 });
    server.publish(http, { port: 8080, address: '127.0.0.1' });
    aJob(stack, 'job', { image: 'bundled-apps' }).connectTo(http);
  });
  const ids = Object.entries<object>(json.resource).flatMap(([type, byId]) =>
    Object.keys(byId).map((id) => `${type}.${id}`),
  );

  expect(ids.sort()).toEqual([
    'docker_container.job',
    'docker_container.server',
    'docker_container.server_files',
    'docker_image.bundled-apps',
    'docker_image.files-carrier',
    'docker_image.registry-example-server-1-2',
    'docker_network.job--server',
    'docker_network.server--published',
    'docker_volume.server_etc-server-conf-d',
    'docker_volume.server_secrets',
  ]);
});

test('a published endpoint is an output', () => {
  const { json } = synthesiseWorkloads((stack) => {
    const service = aService(stack, 'service');
    service.publish(service.expose('http', { scheme: 'http', port: 80 }), { port: 8080, address: '127.0.0.1' });
    service.publish(service.expose('metrics', { scheme: 'http', port: 90 }), { port: 9090, address: '0.0.0.0' });
  });

  expect(json.output).toMatchObject({
    service_url: { value: 'http://127.0.0.1:8080', description: 'Where service answers' },
    service_metrics_url: { value: 'http://localhost:9090', description: 'Where service answers' },
  });
});

test('a published database has the URL of a database, and an IPv6 address its brackets', () => {
  const { json } = synthesiseWorkloads((stack) => {
    const service = aService(stack, 'service');
    const sql = service.expose('sql', { scheme: 'postgresql', port: 5432, user: 'app', basePath: '/ml_db' });
    service.publish(sql, { port: 5433, address: '::1' });
  });

  expect(json.output.service_sql_url.value).toBe('postgresql://app@[::1]:5433/ml_db');
});

test('the environment, the images of the services and the hash of the apps are outputs; jobs are not among them', () => {
  const { json } = synthesiseWorkloads((stack) => {
    aService(stack, 'service');
    aJob(stack, 'job', { image: 'bundled-apps' });
  });

  expect(json.output).toEqual({
    environment: { value: 'test', description: 'Name of the environment' },
    versions: { value: { service: expect.stringMatching(/:./) }, description: 'Image of each service, with its tag' },
    apps_bundle: { value: expect.stringMatching(/^[0-9a-f]{12}$/), description: 'Hash of the bundled apps' },
  });
});

test('a stack that runs no bundled app says no hash of them', () => {
  const { json } = synthesiseWorkloads((stack) => void aService(stack, 'service'));

  expect(Object.keys(json.output)).toEqual(['environment', 'versions']);
});

test('no secret’s name leads to a value: what is written is a path', () => {
  const { json } = synthesiseWorkloads((stack) => {
    const key = new SecretRef('server-key', 'opens the server');
    const http = aService(stack, 'server').expose('http', { scheme: 'http', port: 80, credential: key });
    aService(stack, 'client').connectTo(http, { credential: 'SERVER_KEY_FILE', rereads: true });
  });

  const mentions = JSON.stringify(json).match(/[^"]*server-key[^"]*/g) ?? [];
  expect(mentions.length).toBeGreaterThan(0);
  for (const mention of mentions) {
    expect(mention).toMatch(
      /\/server-key(\.v1)?\\?$|^\/ragdock\/secrets\/|SERVER_KEY_FILE=\/run\/secrets\/|^SECRET_MISSING/,
    );
  }
});
