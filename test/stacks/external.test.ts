import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Environment } from '../../config/environment.js';
import { loadEnvironment } from '../../config/load.js';
import { planLock } from '../../config/lock.js';
import { promisesOf } from '../../stacks/promises.js';
import { devWith, ROOT, synthesiseEnvironment, type Yaml } from '../support/environments.js';

const CA = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

/** Servers elsewhere in place of those of `dev`: a database with TLS, Qdrant on the Docker host, a model without key. */
const elsewhere = (change: (yaml: Yaml) => void = () => {}): Environment =>
  devWith(
    (yaml) => {
      yaml.services.postgres = { external: { url: 'postgresql://rag_api@db.example/ml_db', ca: CA } };
      yaml.services.qdrant = { external: { url: 'http://host.docker.internal:6333' } };
      yaml.services.llm = {
        main: { engine: 'openai', url: 'https://models.example/base/v1/', model: 'm', contextLength: 4096 },
      };
      change(yaml);
    },
    { lock: undefined },
  );

const stack = synthesiseEnvironment(elsewhere());

test('nothing of what is elsewhere is deployed, and its clients are told where it is', () => {
  expect(
    Object.keys(stack.containers).filter((id) => /^(postgres|qdrant|llm)/.test(id) && !/_files$/.test(id)),
  ).toEqual(['postgres-roles', 'qdrant-collections']);
  expect(stack.container('rag-api').env).toEqual(
    expect.arrayContaining([
      'LLM_URL=https://models.example:443/base',
      'POSTGRES_URL=postgresql://rag_api@db.example:5432/ml_db?sslmode=verify-full',
      'POSTGRES_PASSWORD_FILE=/run/secrets/postgres-rag-api-password',
      'QDRANT_URL=http://host.docker.internal:6333',
    ]),
  );
  expect(stack.container('rag-api').env.join()).not.toContain('LLM_API_KEY_FILE');
});

test('each client has a network of its own that leads out, and no other service has one', () => {
  const open = Object.entries(stack.networks)
    .filter(([, network]) => !network.internal)
    .map(([id]) => id);

  expect(open).toEqual([
    'postgres-roles--postgres',
    'qdrant-collections--qdrant',
    'rag-api--llm-main',
    'rag-api--postgres',
    'rag-api--qdrant',
    'web-bot--published',
  ]);
  const members = (id: string) =>
    Object.entries(stack.containers)
      .filter(([, it]) => JSON.stringify(it.networks_advanced ?? []).includes(`docker_network.${id}.id`))
      .map(([container]) => container);
  expect(members('rag-api--qdrant')).toEqual(['rag-api']);
});

test('a server on the Docker host is the gateway of the network to it', () => {
  const { gateway } = stack.networks['rag-api--qdrant']?.ipam_config[0] ?? {};

  expect(stack.container('rag-api').host).toEqual([{ host: 'host.docker.internal', ip: gateway }]);
  expect(stack.container('postgres-roles').host).toEqual([]);
});

test('several servers on the Docker host are one name with one address', () => {
  const { container } = synthesiseEnvironment(
    elsewhere(({ services }) => {
      services.llm = {
        main: { engine: 'openai', url: 'http://host.docker.internal:8080', model: 'm', contextLength: 4096 },
      };
    }),
  );

  expect(container('rag-api').host).toHaveLength(1);
});

test('a published service that has a way out keeps it: the engine may send what leaves over either network', () => {
  const { networks } = synthesiseEnvironment(
    elsewhere(({ services }) => {
      services.api.publish = { port: 8001 };
    }),
  );

  expect(networks['rag-api--published']?.options).toBeUndefined();
  expect(networks['web-bot--published']?.options).toEqual({
    'com.docker.network.bridge.enable_ip_masquerade': 'false',
  });
});

test('who asks a server with a private authority, and nobody else, has its certificate', () => {
  for (const id of ['rag-api', 'postgres-roles']) {
    expect(stack.container(id).env).toContain('NODE_EXTRA_CA_CERTS=/etc/ragdock-trust/node_extra_ca_certs.pem');
    expect(stack.files(`${id}_files`)['/ragdock/etc-ragdock-trust/node_extra_ca_certs.pem']).toBe(CA);
  }
  expect(stack.container('qdrant-collections').env.join()).not.toContain('NODE_EXTRA_CA_CERTS');
});

test('another certificate replaces its readers', () => {
  const another = synthesiseEnvironment(
    elsewhere(({ services }) => {
      services.postgres = {
        external: { url: 'postgresql://rag_api@db.example/ml_db', ca: CA.replace('AAAA', 'BBBB') },
      };
    }),
  );

  const specOf = (id: string) => (it: typeof stack) => JSON.stringify(it.container(id).mounts);
  for (const id of ['rag-api', 'postgres-roles']) expect(specOf(id)(another)).not.toBe(specOf(id)(stack));
});

test('the job at a database elsewhere makes no roles', () => {
  expect(JSON.parse(stack.files('postgres-roles_files')['/ragdock/etc-ragdock/settings.json'] ?? '')).toMatchObject({
    external: true,
    database: 'ml_db',
    roles: [],
  });
});

describe('metrics of servers elsewhere', () => {
  const config = (it: typeof stack) =>
    parse(it.files('prometheus_files')['/ragdock/etc-prometheus/prometheus.yml'] ?? '').scrape_configs as {
      job_name: string;
    }[];
  const measured = (services: Yaml['services']): void => {
    services.qdrant = {
      external: {
        url: 'https://vectors.example',
        ca: CA,
        metrics: { url: 'https://vectors.example/of/metrics', key: true },
      },
    };
    services.prometheus = { alerts: true };
    services.grafana = { enabled: true };
  };

  test('are collected only where it is said where they are', () => {
    expect(config(stack).map(({ job_name }) => job_name)).toEqual(['prometheus', 'node', 'rag-api']);
  });

  test('are collected with scheme, path, key and certificate', () => {
    const scraped = synthesiseEnvironment(elsewhere(({ services }) => measured(services)));

    expect(config(scraped).find(({ job_name }) => job_name === 'qdrant')).toEqual({
      job_name: 'qdrant',
      scheme: 'https',
      metrics_path: '/of/metrics',
      tls_config: { ca_file: '/etc/prometheus-trust/qdrant.pem' },
      authorization: { credentials_file: '/run/secrets/qdrant-api-key.v1' },
      static_configs: [{ targets: ['vectors.example:443'] }],
    });
    expect(scraped.files('prometheus_files')['/ragdock/etc-prometheus-trust/qdrant.pem']).toBe(CA);
    expect(scraped.networks['prometheus--qdrant']?.internal).toBe(false);
  });

  test('decide which dashboards and alert rules there are', () => {
    const shown = (it: typeof stack) =>
      Object.keys(it.files('grafana_files')).filter((path) => /dashboards\/.*\.json$/.test(path)).length;
    const rules = (it: typeof stack) => it.files('prometheus_files')['/ragdock/etc-prometheus/stack.rules.yml'] ?? '';
    const scraped = synthesiseEnvironment(elsewhere(({ services }) => measured(services)));
    const unscraped = synthesiseEnvironment(
      elsewhere(({ services }) => {
        measured(services);
        services.qdrant = { external: { url: 'https://vectors.example' } };
      }),
    );

    expect(shown(scraped) - shown(unscraped)).toBe(1);
    expect(rules(scraped)).toContain('name: qdrant');
    expect(rules(unscraped)).not.toContain('name: qdrant');
  });
});

describe('the lock file', () => {
  const { settings, name, lock } = elsewhere();

  test('promises neither volumes nor a version of what is elsewhere', () => {
    expect(Object.keys(lock?.volumes ?? {})).toEqual(['prometheus-data']);
    expect(lock).not.toHaveProperty('postgres');
    expect(lock?.secrets).not.toHaveProperty('postgres-superuser-password');
  });

  test('does not let data of the stack be forgotten for a server elsewhere', () => {
    const dev = loadEnvironment('dev', { cwd: ROOT });
    const turned = { ...dev, settings };
    const refusal = () => planLock(turned, promisesOf(settings, name));

    expect(refusal).toThrow(/postgres-data lies in the volume dev-postgres-data.*postgresql:\/\/rag_api@db\.example/s);
    expect(refusal).toThrow(/qdrant-data lies in the volume dev-qdrant-data/);
    const accepted = planLock(turned, promisesOf(settings, name), ['postgres-data', 'qdrant-data']);
    expect(accepted).toEqual(expect.objectContaining({ volumes: { 'prometheus-data': 'dev-prometheus-data' } }));
    // What both have in common keeps its subnet.
    expect(accepted.networks['rag-api--qdrant']).toBe(dev.lock?.networks['rag-api--qdrant']);
  });

  test('a server of the stack after one elsewhere breaks nothing', () => {
    const managed = loadEnvironment('dev', { cwd: ROOT });
    expect(planLock({ ...managed, lock }, promisesOf(managed.settings, name)).postgres).toEqual({ major: 15 });
  });
});

test('an extra service reaches a server elsewhere as it does one of the stack', () => {
  const { container, networks } = synthesiseEnvironment(
    elsewhere((yaml) => {
      yaml.services.qdrant = { external: { url: 'https://vectors.example', ca: CA } };
      const qdrant = { url: 'QDRANT_URL', credential: 'QDRANT_KEY_FILE', trust: 'CA_FILE' };
      Object.assign(yaml, { extraServices: { watcher: { image: 'watcher:1', connections: { qdrant } } } });
    }),
  );

  expect(container('watcher').env).toEqual([
    'CA_FILE=/etc/ragdock-trust/ca_file.pem',
    'QDRANT_KEY_FILE=/run/secrets/qdrant-api-key.v1',
    'QDRANT_URL=https://vectors.example:443',
  ]);
  expect(networks['watcher--qdrant']?.internal).toBe(false);
});
