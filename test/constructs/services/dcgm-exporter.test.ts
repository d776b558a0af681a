import { expect, test } from 'vitest';
import { DcgmExporter, type DcgmExporterProps } from '../../../constructs/services/index.js';
import { DCGM_ERROR_METRICS, DCGM_METRICS } from '../../../dashboards/metrics.js';
import { json, ScriptedServer } from '../../support/http-server.js';
import { run } from '../../support/run.js';
import { synthesiseWorkloads } from '../../support/synth.js';
import { failureOf } from '../../support/workloads.js';

const synth = (props: DcgmExporterProps = {}) =>
  synthesiseWorkloads((stack) => void new DcgmExporter(stack, 'dcgm-exporter', props));
const exporter = (props: DcgmExporterProps = {}) => synth(props).container('dcgm-exporter');
const collected = (props: DcgmExporterProps = {}): readonly (readonly string[])[] =>
  (synth(props).files('dcgm-exporter_files')['/ragdock/etc-ragdock/collectors.csv'] ?? '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',').map((part) => part.trim()));

test('sees every card by the runtime nvidia, and reads them as often as they are asked for', () => {
  expect(exporter()).toMatchObject({
    runtime: 'nvidia',
    user: '1000:1000',
    env: expect.arrayContaining([
      'NVIDIA_VISIBLE_DEVICES=all',
      'DCGM_EXPORTER_INTERVAL=15000',
      'DCGM_EXPORTER_COLLECTORS=/etc/ragdock/collectors.csv',
    ]),
  });
  expect(exporter({ gpus: { devices: ['0', '2'], handedOutBy: 'device-request' } })).toMatchObject({
    device_requests: [{ driver: 'nvidia', device_ids: ['0', '2'], capabilities: ['gpu'] }],
  });
});

test('collects what dashboards and alerts stand on, in lines of three fields', () => {
  // One comma too many, and the exporter ends.
  expect(collected().filter((line) => line.length !== 3)).toEqual([]);
  const types = new Map(collected().map(([name, type]) => [name, type]));
  for (const { name, type } of Object.values({ ...DCGM_METRICS, ...DCGM_ERROR_METRICS })) {
    expect(types.get(name), name).toBe(type);
  }
});

test('asks for the profiler’s counters, and for what they take, only where it is told to', () => {
  const profiler = (props: DcgmExporterProps) => collected(props).filter(([name]) => name?.startsWith('DCGM_FI_PROF_'));
  expect(profiler({})).toEqual([]);
  expect(profiler({ profiling: true })).toHaveLength(5);
  expect(collected({ profiling: true }).filter((line) => line.length !== 3)).toEqual([]);
  expect(exporter().capabilities).not.toHaveProperty('add');
  expect(exporter({ profiling: true })).toMatchObject({
    user: '0:0',
    capabilities: { add: ['CAP_SYS_ADMIN'], drop: ['ALL'] },
    security_opts: ['no-new-privileges:true'],
    read_only: true,
  });
});

test('is healthy while it answers 200, and asks with what the image has', async () => {
  const server = await ScriptedServer.start(({ path }, response) =>
    json(response, path === '/health' ? status : 404, {}),
  );
  let status = 200;
  const [, ...command] = exporter().healthcheck.test as string[];
  expect(command[0]).toBe('bash');
  const probe = () => run([...command.slice(0, -1), new URL(server.url).port]);
  expect(await probe()).toMatchObject({ code: 0 });
  status = 503;
  expect((await probe()).code).not.toBe(0);
  const { port } = new URL(server.url);
  await server.close();
  expect((await run([...command.slice(0, -1), port])).code).not.toBe(0);
});

test('refuses an interval that is none', () => {
  expect(failureOf(() => synth({ intervalMs: 30 }))).toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringContaining('got 30'),
  });
});
