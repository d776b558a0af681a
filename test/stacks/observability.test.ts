import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { devWith, differences, resourcesOf, synthesiseEnvironment, type Yaml } from '../support/environments.js';
import { temporaryFolder } from '../support/folder.js';
import { HAS_PROMTOOL, promtool } from '../support/promtool.js';

// What the YAML adds to watch a stack. All of it is off in dev.

const everything = (yaml: Yaml) => {
  yaml.services.prometheus = { alerts: true };
  yaml.services.postgresExporter = { enabled: true };
  yaml.services.alertmanager = { enabled: true };
  yaml.services.grafana = { enabled: true, publish: { port: 3000 } };
};
const environment = devWith(everything);
const dev = synthesiseEnvironment(devWith());
const watched = synthesiseEnvironment(environment);
const PROMETHEUS = '/ragdock/etc-prometheus/';

test('adds these containers to dev, and replaces none but those that reach them', () => {
  expect(Object.keys(watched.containers).filter((id) => !(id in dev.containers) && !id.endsWith('_files'))).toEqual([
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
    ['docker_container.postgres', 'docker_container.postgres-roles', 'docker_container.prometheus'],
  );
});

test('who reaches whom', () => {
  const added = Object.keys(watched.networks).filter((id) => !(id in dev.networks));
  expect(added.sort()).toEqual([
    'grafana--prometheus',
    'grafana--published',
    'grafana-admin--grafana',
    'postgres-exporter--postgres',
    'prometheus--alertmanager',
    'prometheus--postgres-exporter',
  ]);
});

test('Grafana is published when it is asked for, on the host alone', () => {
  expect(watched.container('grafana').ports).toEqual([
    { internal: 3000, external: 3000, ip: '127.0.0.1', protocol: 'tcp' },
  ]);
  expect(watched.container('alertmanager').ports).toBeUndefined();
  expect(watched.container('postgres-exporter').ports).toBeUndefined();
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
    expect(jobs).toEqual(expect.arrayContaining(['alertmanager', 'postgres']));
    expect(config.alerting.alertmanagers[0].static_configs).toEqual([{ targets: ['dev-alertmanager:9093'] }]);
    expect(config.rule_files).toEqual(['/etc/prometheus/stack.rules.yml']);
  });

  test('has rules for the services that the stack has', () => {
    expect(rulesOf(everything)).toEqual(['services', 'questions', 'qdrant', 'host', 'postgres']);
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
