import { describe, expect, test } from 'vitest';
import { overrideContainer } from '../../../../constructs/engines/docker/index.js';
import type { Gpus, WorkloadProps } from '../../../../constructs/model/index.js';
import { synthesiseWorkloads } from '../../../support/synth.js';
import { aService, failureOf } from '../../../support/workloads.js';

const synth = (gpus: Gpus, props: Partial<WorkloadProps> = {}) =>
  synthesiseWorkloads((stack) => void aService(stack, 'service', { gpus, ...props })).container('service');

test('the runtime nvidia is told by variables which cards the container sees', () => {
  const container = synth({ devices: ['1', 'GPU-8f6c0e2a-1111-2222-3333-444455556666'] }, { environment: { A: 'a' } });

  expect(container.runtime).toBe('nvidia');
  expect(container).not.toHaveProperty('gpus');
  expect(container.env).toEqual([
    'A=a',
    'NVIDIA_DRIVER_CAPABILITIES=compute,utility',
    'NVIDIA_VISIBLE_DEVICES=1,GPU-8f6c0e2a-1111-2222-3333-444455556666',
  ]);
  expect(synth({ devices: 'all' }).env).toContain('NVIDIA_VISIBLE_DEVICES=all');
});

test('a device request names the cards itself, and no runtime is asked for', () => {
  expect(synth({ devices: 'all', handedOutBy: 'device-request' })).toMatchObject({ gpus: 'all', env: [] });
  const some = synth({ devices: ['2', '0'], handedOutBy: 'device-request' });
  // `gpus = "device=0,2"` would ask for card 0 and two more.
  expect(some).not.toHaveProperty('gpus');
  expect(some.device_requests).toEqual([{ driver: 'nvidia', device_ids: ['0', '2'], capabilities: ['gpu'] }]);
  expect(some).not.toHaveProperty('runtime');
});

test('a container without cards has neither', () => {
  const { container } = synthesiseWorkloads((stack) => void aService(stack, 'service'));
  expect(container('service')).not.toHaveProperty('runtime');
  expect(container('service')).not.toHaveProperty('gpus');
});

describe('refused by name', () => {
  test.each<[string, Gpus, RegExp]>([
    ['no card', { devices: [] }, /names no graphics card/],
    ['what is no card', { devices: ['0', 'nvidia0'] }, /'nvidia0' is no graphics card/],
    ['one card twice', { devices: ['0', '1', '0'] }, /graphics card 0 is named twice/],
  ])('%s', (_what, gpus, message) => {
    expect(failureOf(() => synth(gpus))).toMatchObject({
      code: 'ENGINE_UNSUPPORTED',
      message: expect.stringMatching(message),
    });
  });

  test.each(['nvidia-runtime', 'device-request'] as const)('a variable beside the %s', (handedOutBy) => {
    const environment = { NVIDIA_VISIBLE_DEVICES: '1' };
    expect(failureOf(() => synth({ devices: ['0'], handedOutBy }, { environment }))).toMatchObject({
      code: 'ENGINE_UNSUPPORTED',
      message: expect.stringContaining('NVIDIA_VISIBLE_DEVICES'),
    });
  });

  test('both ways at once, even by an override', () => {
    const build = () =>
      synthesiseWorkloads((stack) => {
        const service = aService(stack, 'service', { gpus: { devices: 'all' } });
        overrideContainer(service, (config) => ({ ...config, gpus: 'all' }));
      });
    expect(failureOf(build)).toMatchObject({
      code: 'ENGINE_UNSUPPORTED',
      message: expect.stringContaining('by the runtime nvidia and by a device request at once'),
    });
  });

  test.each([{ gpus: 'all' }, { runtime: 'nvidia' }])('%o beside cards that are requested by name', (patch) => {
    const build = () =>
      synthesiseWorkloads((stack) => {
        const service = aService(stack, 'service', { gpus: { devices: ['0'], handedOutBy: 'device-request' } });
        overrideContainer(service, (config) => ({ ...config, ...patch }));
      });
    expect(failureOf(build)).toMatchObject({
      code: 'ENGINE_UNSUPPORTED',
      message: expect.stringContaining('by name and by an override at once'),
    });
  });

  test('a size of shared memory that is the host’s', () => {
    const relax = { hostIpc: true, reason: 'a test of exceptions' };
    const build = () => synthesiseWorkloads((stack) => void aService(stack, 'service', { relax, shmSizeMiB: 64 }));
    expect(failureOf(build)).toMatchObject({ code: 'ENGINE_UNSUPPORTED' });
  });
});
