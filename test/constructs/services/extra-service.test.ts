import { RootConstruct } from 'constructs';
import { expect, test } from 'vitest';
import { ExtraService, type ExtraServiceProps } from '../../../constructs/services/index.js';
import { synthesiseWorkloads } from '../../support/synth.js';
import { failureOf } from '../../support/workloads.js';

const synth = (props: Partial<ExtraServiceProps> = {}) =>
  synthesiseWorkloads((stack) => void new ExtraService(stack, 'redis', { image: 'redis:7', ...props }));

test('needs an image and nothing else, and is as closed as every other service', () => {
  expect(synth().container('redis')).toMatchObject({
    name: 'test-redis',
    image: '${docker_image.redis-7.image_id}',
    user: '1000:1000',
    memory: 256,
    memory_swap: 256,
    read_only: true,
    capabilities: { drop: ['ALL'] },
    security_opts: ['no-new-privileges:true'],
    network_mode: 'none',
    env: [],
    mounts: [],
  });
  for (const field of ['entrypoint', 'command', 'healthcheck']) {
    expect(synth().container('redis')).not.toHaveProperty(field);
  }
});

test('passes on what it is given', () => {
  const { container } = synth({
    containerName: 'cache',
    entrypoint: ['/bin/sh', '-c'],
    command: ['redis-server'],
    user: { uid: 5, gid: 6 },
    memoryMiB: 64,
    environment: { LEVEL: 'info' },
    tmpfs: ['/run'],
    volumes: [{ name: 'redis_data', path: '/data' }],
    healthCheck: ['redis-cli', 'ping'],
  });

  expect(container('redis')).toMatchObject({
    name: 'cache',
    entrypoint: ['/bin/sh', '-c'],
    command: ['redis-server'],
    user: '5:6',
    memory: 64,
    env: ['LEVEL=info'],
    mounts: [
      { type: 'volume', source: 'redis_data', target: '/data' },
      { type: 'tmpfs', target: '/run' },
    ],
    healthcheck: { test: ['CMD', 'redis-cli', 'ping'] },
  });
});

test('has an endpoint when it listens, and none when it does not', () => {
  const extra = (listen?: number) => new ExtraService(new RootConstruct(), 'redis', { image: 'redis:7', listen });

  expect(extra(6379).http).toMatchObject({ scheme: 'http', port: 6379 });
  expect(extra().http).toBeUndefined();
});

test('a writable root takes a reason', () => {
  expect(synth({ writableRootReason: 'writes beside its program' }).container('redis').read_only).toBe(false);
  expect(failureOf(() => synth({ writableRootReason: 'so' }))).toMatchObject({
    code: 'MODEL_INVALID',
    message: 'an exception from hardening has no reason',
  });
});

test('does not run as root', () => {
  expect(failureOf(() => synth({ user: { uid: 0, gid: 0 } })).message).toBe('the process would run as root');
});
