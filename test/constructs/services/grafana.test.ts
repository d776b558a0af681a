import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Grafana, GrafanaAdmin, type GrafanaProps, Prometheus } from '../../../constructs/services/index.js';
import { dashboards } from '../../../dashboards/index.js';
import { run } from '../../support/run.js';
import { specOf, synthesiseWorkloads } from '../../support/synth.js';

const PROVISIONING = '/ragdock/etc-grafana-provisioning-';

const build = (props: Partial<GrafanaProps> = {}, lock: Parameters<typeof synthesiseWorkloads>[1] = {}) =>
  synthesiseWorkloads((stack) => {
    const prometheus = new Prometheus(stack, 'prometheus');
    const grafana = new Grafana(stack, 'grafana', { prometheus: prometheus.http, ...props });
    new GrafanaAdmin(stack, 'grafana-admin', { grafana });
  }, lock);

const grafana = build();
const files = grafana.files('grafana_files');
const env = Object.fromEntries(
  (grafana.container('grafana').env as string[]).map((entry) => entry.split(/=(.*)/s).slice(0, 2)),
);

test('its one data source is the Prometheus that it was connected to, and cannot be edited', () => {
  expect(parse(files[`${PROVISIONING}datasources/ragdock.yaml`] ?? '')).toEqual({
    apiVersion: 1,
    prune: true,
    datasources: [
      {
        name: 'Prometheus',
        type: 'prometheus',
        uid: 'prometheus',
        orgId: 1,
        access: 'proxy',
        url: 'http://test-prometheus:9090',
        isDefault: true,
        editable: false,
        jsonData: { httpMethod: 'POST', timeInterval: '15s' },
      },
    ],
  });
  const joined = grafana.container('grafana').networks_advanced;
  expect(joined).toContainEqual({ name: '${docker_network.grafana--prometheus.id}' });
  expect(grafana.networks['grafana--prometheus']).toMatchObject({ internal: true });
});

test('it reads its dashboards from the folder into which they are mounted', () => {
  const { providers } = parse(files[`${PROVISIONING}dashboards/ragdock.yaml`] ?? '');
  expect(providers).toMatchObject([
    { type: 'file', allowUiUpdates: false, disableDeletion: false, options: { path: '/etc/grafana/dashboards' } },
  ]);
  const [volume] = (grafana.container('grafana').mounts as { target: string; read_only: boolean }[]).filter(
    ({ target }) => target === '/etc/grafana/dashboards',
  );
  expect(volume).toMatchObject({ read_only: true });
  const carried = Object.entries(files).filter(([file]) => file.startsWith('/ragdock/etc-grafana-dashboards/'));
  expect(carried).toEqual(
    dashboards()
      .map(({ uid, json }) => [`/ragdock/etc-grafana-dashboards/${uid}.json`, json])
      .sort(),
  );
});

describe('what a change does', () => {
  test.each<[string, Partial<GrafanaProps>, boolean]>([
    ['another dashboard of the same uid', { dashboards: dashboards().map((it) => ({ ...it, json: '{}\n' })) }, false],
    ['one dashboard less', { dashboards: dashboards().slice(1) }, true],
    ['another interval', { scrapeInterval: '1m' }, true],
  ])('%s', (_what, props, replaced) => {
    const [before, after] = [build(), build(props)];
    expect(after.files('grafana_files')).not.toEqual(before.files('grafana_files'));
    expect(specOf(after.container('grafana')) !== specOf(before.container('grafana'))).toBe(replaced);
  });

  test('another password replaces it, and lets the job give it to the database', () => {
    const secrets = (version: number) => ({
      secrets: { 'grafana-admin-password': { version }, 'grafana-secret-key': { version: 1 } },
    });
    const [before, after] = [build({}, secrets(1)), build({}, secrets(2))];
    for (const id of ['grafana', 'grafana-admin']) {
      expect(specOf(after.container(id))).not.toBe(specOf(before.container(id)));
    }
  });
});

test('nobody gets in without a login, and it asks nobody outside', () => {
  expect(env).toMatchObject({
    GF_SECURITY_ADMIN_PASSWORD: '$__file{/run/secrets/grafana-admin-password.v1}',
    GF_SECURITY_SECRET_KEY: '$__file{/run/secrets/grafana-secret-key.v1}',
    GF_USERS_ALLOW_SIGN_UP: 'false',
    GF_AUTH_ANONYMOUS_ENABLED: 'false',
    GF_ANALYTICS_REPORTING_ENABLED: 'false',
    GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
    GF_SECURITY_DISABLE_GRAVATAR: 'true',
    GF_PLUGINS_PREINSTALL_DISABLED: 'true',
  });
  expect(grafana.container('grafana').ports).toBeUndefined();
});

describe('its start', () => {
  const [shell, flags, script, name] = grafana.container('grafana').entrypoint as string[];
  const start = (...secrets: string[]) => run([shell ?? '', flags ?? '', script ?? '', name ?? '', ...secrets]);

  test.each(['/nowhere/secret', '/dev/null'])('is refused with %s for a secret', async (secret) => {
    const { code, stderr } = await start(secret);
    expect(code).toBe(78);
    expect(stderr).toContain(`the secret ${secret} is missing or empty`);
  });

  test('goes on to the image’s own with secrets that are there', async () => {
    const { code, stderr } = await start(import.meta.filename);
    expect(code).toBe(127);
    expect(stderr).toContain('/run.sh');
  });

  test('is given both secrets', () => {
    expect((grafana.container('grafana').entrypoint as string[]).slice(4)).toEqual([
      '/run/secrets/grafana-admin-password.v1',
      '/run/secrets/grafana-secret-key.v1',
    ]);
  });
});
