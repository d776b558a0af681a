import { expect, test } from 'vitest';
import type { z } from 'zod';
import type { EnvironmentSchema } from '../../config/schema.js';
import { devWith, synthesiseEnvironment } from '../support/environments.js';
import { failureOf } from '../support/workloads.js';

type Extra = NonNullable<z.input<typeof EnvironmentSchema>['extraServices']>[string];

const withExtra = (extra: Extra) => {
  const environment = devWith((yaml) => Object.assign(yaml, { extraServices: { dashboard: extra } }));
  return { environment, ...synthesiseEnvironment(environment) };
};

test('may be an image and nothing more', () => {
  const { container } = withExtra({ image: 'dashboard:1' });

  expect(container('dashboard')).toMatchObject({
    name: 'dev-dashboard',
    user: '1000:1000',
    memory: 256,
    read_only: true,
    network_mode: 'none',
  });
});

test('reaches each service by the name that the YAML gives it', () => {
  const { container, networks, files } = withExtra({
    image: 'dashboard:1',
    connections: {
      prometheus: { url: 'PROMETHEUS_URL' },
      webBot: { url: 'WEB_BOT_URL' },
      api: { url: 'API_URL', credential: 'API_KEY_FILE' },
      qdrant: { url: 'QDRANT_URL', credential: 'QDRANT_KEY_FILE' },
      'llm.main': { url: 'LLM_URL', credential: 'LLM_KEY_FILE' },
    },
  });

  expect(container('dashboard').env).toEqual([
    'API_KEY_FILE=/run/secrets/rag-api-key.v1',
    'API_URL=http://dev-rag-api:8000',
    'LLM_KEY_FILE=/run/secrets/llm-main-api-key.v1',
    'LLM_URL=http://dev-llm-main:8080',
    'PROMETHEUS_URL=http://dev-prometheus:9090',
    'QDRANT_KEY_FILE=/run/secrets/qdrant-api-key.v1',
    'QDRANT_URL=http://dev-qdrant:6333',
    'WEB_BOT_URL=http://dev-web-bot:8080',
  ]);
  expect(Object.keys(networks).filter((id) => id.startsWith('dashboard'))).toEqual([
    'dashboard--llm-main',
    'dashboard--prometheus',
    'dashboard--qdrant',
    'dashboard--rag-api',
    'dashboard--web-bot',
  ]);
  expect(Object.keys(files('dashboard_files'))).toEqual([
    '/ragdock/secrets/llm-main-api-key.v1',
    '/ragdock/secrets/qdrant-api-key.v1',
    '/ragdock/secrets/rag-api-key.v1',
  ]);
});

test('publishes the port that it listens on', () => {
  const { container, json } = withExtra({ image: 'dashboard:1', listen: 3000, publish: { port: 3001 } });

  expect(container('dashboard').ports).toEqual([{ internal: 3000, external: 3001, ip: '127.0.0.1', protocol: 'tcp' }]);
  expect(json.output.dashboard_url.value).toBe('http://127.0.0.1:3001');
});

test('keeps data in volumes that the lock file promises', () => {
  const { container, environment, volumes } = withExtra({
    image: 'dashboard:1',
    volumes: [{ name: 'dashboards', path: '/var/lib/dashboard' }],
  });

  expect(container('dashboard').mounts).toEqual([
    { type: 'volume', source: 'dashboards', target: '/var/lib/dashboard', read_only: false },
  ]);
  expect(environment.lock?.volumes).toMatchObject({ 'dashboard-dashboards': 'dashboards' });
  expect(Object.values(volumes).map(({ name }) => name)).not.toContain('dashboards');
});

test('takes everything else that the YAML may say', () => {
  const { container } = withExtra({
    image: 'dashboard:1',
    container: 'grafana_new',
    entrypoint: ['/bin/sh', '-c'],
    command: ['serve ${PORT}'],
    user: '472:0',
    memory: '1GiB',
    environment: { LOG_FORMAT: '%{time}' },
    tmpfs: ['/tmp'],
    healthCheck: ['wget', '-q', 'http://127.0.0.1:3000/'],
    writableRoot: { reason: 'writes its plugins beside its program' },
  });

  expect(container('dashboard')).toMatchObject({
    name: 'grafana_new',
    entrypoint: ['/bin/sh', '-c'],
    command: ['serve $${PORT}'],
    user: '472:0',
    memory: 1024,
    env: ['LOG_FORMAT=%%{time}'],
    mounts: [{ type: 'tmpfs', target: '/tmp' }],
    healthcheck: { test: ['CMD', 'wget', '-q', 'http://127.0.0.1:3000/'] },
    read_only: false,
  });
});

test.each(['postgres', 'grafana', 'constructor', 'llm.other'])('knows no %s to connect to', (target) => {
  expect(failureOf(() => withExtra({ image: 'x:1', connections: { [target]: { url: 'THE_URL' } } }))).toMatchObject({
    code: 'MODEL_INVALID',
    path: 'services.dashboard',
    message: `there is no service '${target}' to connect to`,
  });
});

test('says where the credential goes', () => {
  expect(failureOf(() => withExtra({ image: 'x:1', connections: { qdrant: { url: 'QDRANT_URL' } } })).message).toBe(
    'the endpoint qdrant.http needs the secret qdrant-api-key, which has nowhere to go',
  );
});
