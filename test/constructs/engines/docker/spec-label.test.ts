import { describe, expect, test } from 'vitest';
import { overrideContainer } from '../../../../constructs/engines/docker/index.js';
import { type Relaxation, SecretRef, type Service, type ServiceProps } from '../../../../constructs/model/index.js';
import { specOf, synthesiseWorkloads } from '../../../support/synth.js';
import { aJob, aService } from '../../../support/workloads.js';

/** The label of a service that has one of everything, but for what a test says otherwise. */
function label(props: Partial<ServiceProps> = {}, more: (service: Service) => void = () => {}): string {
  const { container } = synthesiseWorkloads((stack) => {
    more(
      aService(stack, 'service', {
        image: { reference: 'image:1' },
        entrypoint: ['/bin/sh'],
        command: ['serve'],
        environment: { LEVEL: 'info' },
        tmpfs: [{ path: '/tmp', sizeMiB: 16 }],
        memoryMiB: 128,
        healthCheck: { command: ['probe'], intervalSeconds: 10 },
        deployWaitSeconds: 30,
        ...props,
      }),
    );
  });
  return specOf(container('service'));
}

const relaxed = (relax: Omit<Relaxation, 'reason'>) => ({ relax: { ...relax, reason: 'a test of exceptions' } });

test('is ten hexadecimal digits, and the same every time', () => {
  expect(label()).toMatch(/^[0-9a-f]{10}$/);
  expect(label()).toBe(label());
});

test.each<[string, Partial<ServiceProps>]>([
  ['the health check', { healthCheck: { command: ['probe', '-q'], intervalSeconds: 10 } }],
  ['its interval', { healthCheck: { command: ['probe'], intervalSeconds: 11 } }],
  ['its absence', { healthCheck: { command: [] }, deployWaitSeconds: undefined as never }],
  ['writable memory', { tmpfs: [{ path: '/tmp', sizeMiB: 17 }] }],
  ['the environment', { environment: { LEVEL: 'debug' } }],
  ['the environment, by one variable less', { environment: {} }],
  ['the entrypoint', { entrypoint: ['/bin/bash'] }],
  ['the entrypoint, by none', { entrypoint: undefined }],
  ['the command', { command: ['serve', '--fast'] }],
  ['the user', { user: { uid: 2, gid: 2 } }],
  ['a capability', relaxed({ capabilities: ['CHOWN'] })],
  ['a writable root', relaxed({ readOnlyRoot: false })],
  ['the time to stop', { stopGraceSeconds: 11 }],
  ['open files', { openFiles: 1024 }],
  ['shared memory', { shmSizeMiB: 128 }],
])('changes with %s', (_what, props) => {
  expect(label(props)).not.toBe(label());
});

test.each<[string, Partial<ServiceProps>]>([
  ['memory, which the provider changes in place', { memoryMiB: 256 }],
  ['the image, whose id replaces the container by itself', { image: { reference: 'image:2' } }],
  ['how long a deploy waits', { deployWaitSeconds: 60 }],
])('stays as it is with %s', (_what, props) => {
  expect(label(props)).toBe(label());
});

test('stays as it is when another client is connected', () => {
  const withClients = (...ids: string[]) =>
    label({}, (service) => {
      const http = service.expose('http', { scheme: 'http', port: 80 });
      for (const id of ids) aService(service, id).connectTo(http);
    });

  expect(withClients('first', 'second')).toBe(withClients('first'));
});

describe('an override', () => {
  const overridden = (patch: Parameters<typeof overrideContainer>[1]): string =>
    label({}, (service) => overrideContainer(service, patch));

  test.each([
    ['init', { init: false }],
    ['tmpfs', { tmpfs: { '/scratch': 'size=1m' } }],
    ['cpu_quota', { cpuQuota: 50_000 }],
  ])('of %s, which the provider does not change in place, replaces the container', (_field, change) => {
    expect(overridden((config) => ({ ...config, ...change }))).not.toBe(label());
  });

  test('of the restart policy does not', () => {
    expect(overridden((config) => ({ ...config, restart: 'always' }))).toBe(label());
  });

  test('that names another resource does not depend on what else is in the stack', () => {
    const named = (others: number): string => {
      const { container } = synthesiseWorkloads((stack) => {
        for (let index = 0; index < others; index += 1) aService(stack, `a-${index}`);
        const service = aService(stack, 'service');
        overrideContainer(service, (config) => ({ ...config, hostname: String(config.image) }));
      });
      return specOf(container('service'));
    };

    expect(named(3)).toBe(named(0));
  });
});

describe('a new version of a secret', () => {
  const key = new SecretRef('server-key', 'opens the server');
  const specs = (version: number, rereads: boolean) => {
    const { container } = synthesiseWorkloads(
      (stack) => {
        const http = aService(stack, 'server').expose('http', { scheme: 'http', port: 80, credential: key });
        aService(stack, 'service').connectTo(http, { credential: 'KEY_FILE', rereads });
        aJob(stack, 'job').connectTo(http, { credential: 'KEY_FILE', rereads });
      },
      { secrets: { 'server-key': { version } } },
    );
    return { service: specOf(container('service')), job: specOf(container('job')) };
  };

  test('leaves a service running that looks for it', () => {
    expect(specs(2, true).service).toBe(specs(1, true).service);
  });

  test('replaces a service that does not', () => {
    expect(specs(2, false).service).not.toBe(specs(1, false).service);
  });

  test('runs a job again, whether it would look for it or not', () => {
    expect(specs(2, true).job).not.toBe(specs(1, true).job);
    expect(specs(2, false).job).not.toBe(specs(1, false).job);
  });
});
