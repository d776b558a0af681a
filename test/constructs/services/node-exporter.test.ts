import { expect, test } from 'vitest';
import { NodeExporter, Prometheus } from '../../../constructs/services/index.js';
import { synthesiseWorkloads } from '../../support/synth.js';
import { failureOf } from '../../support/workloads.js';

const scraped = () =>
  synthesiseWorkloads(
    (stack) => {
      const exporter = new NodeExporter(stack, 'node-exporter');
      new Prometheus(stack, 'prometheus').scrape('node', exporter.metrics);
    },
    { networks: { 'prometheus--node-exporter': '10.231.0.8/29' } },
  );

test('measures the host itself: its network, its processes, its file systems', () => {
  expect(scraped().container('node-exporter')).toMatchObject({
    network_mode: 'host',
    pid_mode: 'host',
    mounts: [{ type: 'bind', source: '/', target: '/host', read_only: true, bind_options: { propagation: 'rslave' } }],
  });
  expect(scraped().container('node-exporter').command).toContain('--path.rootfs=/host');
});

test('listens on one address, which Prometheus alone reaches, and is asked there whether it is well', () => {
  const { container, files } = scraped();

  expect(container('node-exporter').command).toContain('--web.listen-address=10.231.0.9:9100');
  expect(container('node-exporter').healthcheck.test).toEqual([
    ...['CMD', 'wget', '-q', '-O', '/dev/null', 'http://10.231.0.9:9100/'],
  ]);
  expect(container('prometheus').host).toEqual([{ host: 'test-node-exporter', ip: '10.231.0.9' }]);
  expect(files('prometheus_files')['/ragdock/etc-prometheus/prometheus.yml']).toContain('test-node-exporter:9100');
});

test('does not stand alone: nobody would reach it', () => {
  expect(failureOf(() => synthesiseWorkloads((stack) => void new NodeExporter(stack, 'node-exporter')))).toMatchObject({
    code: 'ENGINE_UNSUPPORTED',
    path: 'test.node-exporter',
  });
});
