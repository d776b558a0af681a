import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { SCRAPE_JOBS } from '../../config/rules/services.js';
import { devWith, differences, resourcesOf, synthesiseEnvironment, type Yaml } from '../support/environments.js';
import { temporaryFolder } from '../support/folder.js';
import { HAS_PROMTOOL, promtool } from '../support/promtool.js';
import type { Resource } from '../support/synth.js';

// What the YAML adds to watch a stack. All of it is off in dev.

const everything = (yaml: Yaml) => {
  yaml.services.prometheus = { alerts: true };
  yaml.services.nodeExporter = { publish: { port: 9101 } };
  yaml.services.agentExporter = { enabled: true, scrapeInterval: '20s', publish: { port: 9402 } };
  yaml.services.postgresExporter = { enabled: true, publish: { port: 9187 } };
  yaml.services.alertmanager = { enabled: true };
  yaml.services.grafana = { enabled: true, publish: { port: 3000 } };
};
const environment = devWith(everything);
const dev = synthesiseEnvironment(devWith());
const watched = synthesiseEnvironment(environment);
const PROMETHEUS = '/ragdock/etc-prometheus/';

test('adds these containers to dev, and replaces none but those that reach them', () => {
  expect(Object.keys(watched.containers).filter((id) => !(id in dev.containers) && !id.endsWith('_files'))).toEqual([
    'agent-exporter',
    'alertmanager',
    'alertmanager-ownership',
    'grafana',
    'grafana-admin',
    'grafana-ownership',
    'postgres-exporter',
  ]);
  const changed = differences(dev, watched).filter((address) => resourcesOf(dev).has(address));
  expect(changed.filter((address) => /^docker_container\.[a-z-]+$/.test(address)).sort()).toEqual(
    // A new pg_hba.conf, a new role, new networks.
    [
      'docker_container.node-exporter',
      'docker_container.postgres',
      'docker_container.postgres-logins',
      'docker_container.postgres-roles',
      'docker_container.prometheus',
      'docker_container.qdrant',
    ],
  );
});

test('who reaches whom', () => {
  const added = Object.keys(watched.networks).filter((id) => !(id in dev.networks));
  expect(added.sort()).toEqual([
    'agent-exporter--postgres',
    'agent-exporter--published',
    'agent-exporter--qdrant',
    'grafana--prometheus',
    'grafana--published',
    'grafana-admin--grafana',
    'postgres-exporter--postgres',
    'postgres-exporter--published',
    'prometheus--agent-exporter',
    'prometheus--alertmanager',
    'prometheus--postgres-exporter',
  ]);
});

test('Grafana is published when it is asked for, on the host alone', () => {
  expect(watched.container('grafana').ports).toEqual([
    { internal: 3000, external: 3000, ip: '127.0.0.1', protocol: 'tcp' },
  ]);
  expect(watched.container('alertmanager').ports).toBeUndefined();
  expect(watched.container('postgres-exporter').ports).toEqual([
    { internal: 9187, external: 9187, ip: '127.0.0.1', protocol: 'tcp' },
  ]);
  expect(watched.container('agent-exporter').ports).toEqual([
    { internal: 9090, external: 9402, ip: '127.0.0.1', protocol: 'tcp' },
  ]);
});

test('the exporter of the host listens on its second address by itself', () => {
  const listens = ({ command }: Resource) => command.filter((it: string) => it.startsWith('--web.listen-address='));
  expect(listens(dev.container('node-exporter'))).toHaveLength(1);
  expect(listens(watched.container('node-exporter'))).toEqual([
    ...listens(dev.container('node-exporter')),
    '--web.listen-address=127.0.0.1:9101',
  ]);
  expect(watched.container('node-exporter').ports).toBeUndefined();
});

test('the agent exporter gets no key of Qdrant, and one password', () => {
  const { env } = watched.container('agent-exporter');
  expect(env).toEqual([
    'NODE_ENV=production',
    'POSTGRES_PASSWORD_FILE=/run/secrets/postgres-agent-exporter-password',
    'POSTGRES_URL=postgresql://agent_exporter_*@dev-postgres:5432/ml_db',
    'QDRANT_METRICS_URL=http://dev-qdrant:9090',
    'RAGDOCK_SETTINGS=/etc/ragdock/settings.json',
  ]);
  expect(JSON.parse(watched.files('agent-exporter_files')['/ragdock/etc-ragdock/settings.json'] ?? '')).toEqual({
    listen: { port: 9090 },
    courses: ['demo'],
    collections: ['BD_curs_data', 'BD_chat_question', 'BD_organization_question'],
  });
});

test('Grafana shows the history where it is measured', () => {
  const file = '/ragdock/etc-grafana-dashboards/ragdock-rag-api.json';
  expect(watched.files('grafana_files')[file]).toContain('rag_history_exchanges_total');
  const without = synthesiseEnvironment(
    devWith((yaml) => void Object.assign(yaml.services, { grafana: { enabled: true } })),
  );
  expect(without.files('grafana_files')[file]).not.toContain('rag_history_exchanges_total');
});

test('the lock file promises subnets, volumes and secrets', () => {
  expect(environment.lock?.volumes).toMatchObject({
    'alertmanager-data': 'dev-alertmanager-data',
    'grafana-data': 'dev-grafana-data',
  });
  expect(Object.keys(environment.lock?.secrets ?? {})).toEqual(
    expect.arrayContaining(['grafana-admin-password', 'grafana-secret-key', 'postgres-postgres-exporter-password']),
  );
  expect(Object.keys(environment.lock?.networks ?? {})).toContain('grafana--prometheus');
});

describe('Prometheus', () => {
  const config = parse(watched.files('prometheus_files')[`${PROMETHEUS}prometheus.yml`] ?? '');
  const rulesOf = (change: (yaml: Yaml) => void) => {
    const text = synthesiseEnvironment(devWith(change)).files('prometheus_files')[`${PROMETHEUS}stack.rules.yml`];
    return text === undefined ? undefined : parse(text).groups.map(({ name }: { name: string }) => name);
  };

  test('scrapes what was added, and sends its alerts', () => {
    const jobs = config.scrape_configs.map(({ job_name }: { job_name: string }) => job_name);
    expect(jobs).toEqual(expect.arrayContaining(['agent_metrics', 'alertmanager', 'postgres']));
    const agent = config.scrape_configs.find(({ job_name }: { job_name: string }) => job_name === 'agent_metrics');
    expect(agent).toEqual({
      job_name: 'agent_metrics',
      scrape_interval: '20s',
      static_configs: [{ targets: ['dev-agent-exporter:9090'] }],
    });
    expect(config.alerting.alertmanagers[0].static_configs).toEqual([{ targets: ['dev-alertmanager:9093'] }]);
    expect(config.rule_files).toEqual(['/etc/prometheus/stack.rules.yml']);
  });

  test('every job of its own is one that no model server may have', () => {
    const jobs = config.scrape_configs.map(({ job_name }: { job_name: string }) => job_name);
    expect(jobs.filter((job: string) => job !== 'llm-main').sort()).toEqual([...SCRAPE_JOBS].sort());
  });

  test('calls the job of a model server as it is told', () => {
    const stack = synthesiseEnvironment(
      devWith((yaml) => void Object.assign(yaml.services.llm.main ?? {}, { job: 'saiga' })),
    );
    const { scrape_configs } = parse(stack.files('prometheus_files')[`${PROMETHEUS}prometheus.yml`] ?? '');
    const jobs = scrape_configs.map(({ job_name }: { job_name: string }) => job_name);
    expect(jobs).toContain('saiga');
    expect(jobs).not.toContain('llm-main');
  });

  test('has rules for the services that the stack has', () => {
    expect(rulesOf(everything)).toEqual(['services', 'questions', 'qdrant', 'host', 'postgres', 'history']);
    expect(
      rulesOf((yaml) => {
        yaml.services.prometheus = { alerts: true };
        yaml.services.nodeExporter = { enabled: false };
      }),
    ).toEqual(['services', 'questions', 'qdrant']);
    expect(rulesOf(() => undefined)).toBeUndefined();
  });
});

test.runIf(HAS_PROMTOOL)('Prometheus would take its files as they are', async () => {
  const folder = temporaryFolder();
  const files = Object.entries(watched.files('prometheus_files')).filter(([path]) => path.startsWith(PROMETHEUS));
  for (const [path, text] of files) {
    writeFileSync(join(folder, basename(path)), text.replaceAll('/etc/prometheus/', `${folder}/`));
  }
  const { code, stdout, stderr } = await promtool('check', 'config', '--syntax-only', join(folder, 'prometheus.yml'));
  expect(code, stdout + stderr).toBe(0);
});

test('a webhook with a token brings a way out and a secret', () => {
  const yaml = (it: Yaml) => {
    everything(it);
    it.services.alertmanager = { enabled: true, webhook: { url: 'https://alerts.example/hook', token: true } };
  };
  const withWebhook = devWith(yaml);
  expect(withWebhook.lock?.secrets).toHaveProperty('alertmanager-webhook-token');
  expect(synthesiseEnvironment(withWebhook).networks).toHaveProperty('alertmanager--egress');
});
