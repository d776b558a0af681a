import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { SecretRef } from '../../../constructs/model/index.js';
import { Prometheus, type PrometheusProps } from '../../../constructs/services/index.js';
import { specOf, synthesiseWorkloads } from '../../support/synth.js';
import { aService, failureOf } from '../../support/workloads.js';

const key = new SecretRef('llm-main-api-key', 'asks the model');
const FILE = '/ragdock/etc-prometheus/prometheus.yml';

const scraping = (props: PrometheusProps = {}, secretVersion = 1) =>
  synthesiseWorkloads(
    (stack) => {
      const prometheus = new Prometheus(stack, 'prometheus', props);
      const expose = (id: string, port: number, credential?: SecretRef) =>
        aService(stack, id).expose('metrics', { scheme: 'http', port, credential });
      prometheus.scrape('rag-api', expose('rag-api', 9091));
      prometheus.scrape('llm-main', expose('llm-main', 8080, key));
    },
    { secrets: { 'llm-main-api-key': { version: secretVersion } } },
  );

test('writes one job for itself and one for each target, by name, with the credential as a file', () => {
  expect(parse(scraping().files('prometheus_files')[FILE] ?? '')).toEqual({
    global: { scrape_interval: '15s', evaluation_interval: '15s' },
    storage: { tsdb: { retention: { time: '7d' } } },
    scrape_configs: [
      { job_name: 'prometheus', static_configs: [{ targets: ['localhost:9090'] }] },
      {
        job_name: 'llm-main',
        authorization: { credentials_file: '/run/secrets/llm-main-api-key.v1' },
        static_configs: [{ targets: ['test-llm-main:8080'] }],
      },
      { job_name: 'rag-api', static_configs: [{ targets: ['test-rag-api:9091'] }] },
    ],
  });
});

test('takes interval and retention from its props', () => {
  expect(
    parse(scraping({ scrapeInterval: '5s', retention: '30d' }).files('prometheus_files')[FILE] ?? ''),
  ).toMatchObject({
    global: { scrape_interval: '5s', evaluation_interval: '5s' },
    storage: { tsdb: { retention: { time: '30d' } } },
  });
});

test('mounts the credentials of what it scrapes', () => {
  expect(Object.keys(scraping().files('prometheus_files'))).toContain('/ragdock/secrets/llm-main-api-key.v1');
});

describe('rereads its file by itself', () => {
  test('so it is told to, and offers no way in to ask for it', () => {
    const { command } = scraping().container('prometheus');

    expect(command).toContain('--enable-feature=auto-reload-config');
    expect(command).not.toContain('--web.enable-lifecycle');
  });

  test.each<[string, PrometheusProps, number]>([
    ['another interval', { scrapeInterval: '5s' }, 1],
    ['another retention', { retention: '30d' }, 1],
    ['another version of a credential', {}, 2],
  ])('so %s leaves it running', (_what, props, secretVersion) => {
    const [before, after] = [scraping(), scraping(props, secretVersion)];

    expect(after.container('prometheus')).toEqual(before.container('prometheus'));
    expect(after.volumes).toEqual(before.volumes);
    expect(after.files('prometheus_files')[FILE]).not.toBe(before.files('prometheus_files')[FILE]);
  });

  test('but another image contract does not', () => {
    expect(specOf(scraping({ memoryMiB: 600 }).container('prometheus'))).toBe(
      specOf(scraping().container('prometheus')),
    );
    expect(scraping({ image: 'prom/prometheus:v3.0.0' }).container('prometheus').image).not.toBe(
      scraping().container('prometheus').image,
    );
  });
});

test.each(['rag-api', 'prometheus'])('the job %s is not given twice', (job) => {
  const build = () =>
    synthesiseWorkloads((stack) => {
      const prometheus = new Prometheus(stack, 'prometheus');
      prometheus.scrape('rag-api', aService(stack, 'a').expose('metrics', { scheme: 'http', port: 1 }));
      prometheus.scrape(job, aService(stack, 'b').expose('metrics', { scheme: 'http', port: 1 }));
    });

  expect(failureOf(build)).toMatchObject({
    code: 'MODEL_INVALID',
    path: 'test.prometheus',
    message: `the scrape job '${job}' exists already`,
  });
});
