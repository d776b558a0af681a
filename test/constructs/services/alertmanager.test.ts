import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Alertmanager, type AlertmanagerProps, Prometheus } from '../../../constructs/services/index.js';
import { specOf, synthesiseWorkloads } from '../../support/synth.js';

const build = (props: AlertmanagerProps = {}) =>
  synthesiseWorkloads((stack) => {
    const alertmanager = new Alertmanager(stack, 'alertmanager', props);
    const prometheus = new Prometheus(stack, 'prometheus');
    prometheus.alert(alertmanager.http);
    prometheus.addRules('own', 'groups: []\n');
  });
const configOf = (props: AlertmanagerProps = {}) =>
  parse(build(props).files('alertmanager_files')['/ragdock/etc-alertmanager/alertmanager.yml'] ?? '');

const WEBHOOK = { url: 'https://alerts.example/hook' };

test('without a webhook it tells nobody, and has no way out', () => {
  expect(configOf()).toMatchObject({ route: { receiver: 'nobody' }, receivers: [{ name: 'nobody' }] });
  expect(build().networks).not.toHaveProperty('alertmanager--egress');
});

test('with a webhook it has a way out, and sends every group there', () => {
  expect(configOf({ webhook: WEBHOOK, repeatInterval: '1h' })).toMatchObject({
    route: { receiver: 'webhook', repeat_interval: '1h' },
    receivers: [{ name: 'webhook', webhook_configs: [{ url: WEBHOOK.url, send_resolved: true }] }],
  });
  const { networks, container } = build({ webhook: WEBHOOK });
  expect(networks['alertmanager--egress']).toMatchObject({ internal: false });
  expect(container('alertmanager').networks_advanced).toHaveLength(2);
});

test('a token goes by file', () => {
  const synthesised = build({ webhook: { ...WEBHOOK, token: true } });
  expect(configOf({ webhook: { ...WEBHOOK, token: true } }).receivers[0].webhook_configs[0].http_config).toEqual({
    authorization: { credentials_file: '/run/secrets/alertmanager-webhook-token.v1' },
  });
  expect(Object.keys(synthesised.files('alertmanager_files'))).toContain(
    '/ragdock/secrets/alertmanager-webhook-token.v1',
  );
});

test('every receiver that is named is there', () => {
  for (const config of [configOf(), configOf({ webhook: WEBHOOK })]) {
    expect(config.receivers.map(({ name }: { name: string }) => name)).toContain(config.route.receiver);
  }
});

test('another configuration replaces it, for it would not reread it', () => {
  expect(specOf(build({ repeatInterval: '1h' }).container('alertmanager'))).not.toBe(
    specOf(build().container('alertmanager')),
  );
});

describe('Prometheus', () => {
  const config = parse(build().files('prometheus_files')['/ragdock/etc-prometheus/prometheus.yml'] ?? '');

  test('knows where to send alerts, and can get there', () => {
    expect(config.alerting).toEqual({
      alertmanagers: [{ static_configs: [{ targets: ['test-alertmanager:9093'] }] }],
    });
    expect(build().networks).toHaveProperty('prometheus--alertmanager');
  });

  test('reads the rules that it was given, beside its configuration', () => {
    expect(config.rule_files).toEqual(['/etc/prometheus/own.rules.yml']);
    expect(build().files('prometheus_files')['/ragdock/etc-prometheus/own.rules.yml']).toBe('groups: []\n');
  });
});
