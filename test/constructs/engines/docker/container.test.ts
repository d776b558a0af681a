import { expect, test } from 'vitest';
import type { ServiceProps, WorkloadProps } from '../../../../constructs/model/index.js';
import { labelOf, type Resource, synthesiseWorkloads } from '../../../support/synth.js';
import { aJob, aService } from '../../../support/workloads.js';

const containerOf = (props: Partial<ServiceProps> = {}): Resource =>
  synthesiseWorkloads((stack) => void aService(stack, 'service', props)).container('service');
const jobOf = (props: Partial<WorkloadProps> = {}): Resource =>
  synthesiseWorkloads((stack) => void aJob(stack, 'job', props)).container('job');

test('is named after environment and service, and labelled with both', () => {
  const container = containerOf();

  expect(container.name).toBe('test-service');
  expect(labelOf(container, 'ragdock.environment')).toBe('test');
  expect(labelOf(container, 'ragdock.service')).toBe('service');
});

test('a service runs all the time, a job once', () => {
  expect(containerOf()).toMatchObject({ restart: 'unless-stopped', must_run: true });
  expect(containerOf({ restart: 'always' })).toMatchObject({ restart: 'always', must_run: true });
  expect(containerOf()).not.toHaveProperty('attach');
  expect(jobOf()).toMatchObject({ restart: 'no', must_run: false, attach: true, logs: true });
  expect(jobOf()).not.toHaveProperty('healthcheck');
});

test('a failed job fails the deploy, with its output and the way to run it again', () => {
  expect(jobOf({ containerName: 'restore' }).lifecycle.postcondition).toEqual([
    {
      condition: '${self.exit_code == 0}',
      error_message:
        'The job restore failed:\n${self.container_logs}\nWhen its cause is gone, run: docker rm restore. The next deploy runs the job again.',
    },
  ]);
  // The provider gives up after 20 minutes; a model of some gigabytes takes longer.
  expect(jobOf().timeouts).toEqual({ create: '5h' });
});

test('memory is limited, and no swap is laid on top', () => {
  expect(containerOf({ memoryMiB: 300 })).toMatchObject({ memory: 300, memory_swap: 300 });
});

test('capabilities are spelled as the engine spells them, and sorted', () => {
  const relax = { capabilities: ['SYS_PTRACE', 'CHOWN', 'NET_BIND_SERVICE'], reason: 'a test of capabilities' };

  expect(containerOf({ relax }).capabilities).toEqual({
    drop: ['ALL'],
    add: ['CAP_CHOWN', 'CAP_NET_BIND_SERVICE', 'CAP_SYS_PTRACE'],
  });
  expect(containerOf().capabilities).toEqual({ drop: ['ALL'] });
});

test('each relaxation reaches the container', () => {
  const reason = 'a test of exceptions';

  expect(containerOf({ relax: { readOnlyRoot: false, reason } }).read_only).toBe(false);
  expect(containerOf({ relax: { noNewPrivileges: false, reason } }).security_opts ?? []).toEqual([]);
  expect(containerOf({ relax: { hostNetwork: true, reason } }).network_mode).toBe('host');
  expect(containerOf({ relax: { hostPid: true, reason } }).pid_mode).toBe('host');
  expect(containerOf({ relax: { hostIpc: true, reason } })).toMatchObject({
    ipc_mode: 'host',
    security_opts: ['no-new-privileges:true', 'label=disable'],
  });
  expect(containerOf({ relax: { root: true, reason }, user: { uid: 0, gid: 0 } }).user).toBe('0:0');
});

test('a health check is written in the spelling that the provider reads back', () => {
  expect(containerOf({ healthCheck: { command: ['probe', '-q'] } }).healthcheck).toEqual({
    test: ['CMD', 'probe', '-q'],
    interval: '10s',
    timeout: '5s',
    retries: 3,
    start_period: '30s',
  });
  const healthCheck = {
    command: ['probe'],
    intervalSeconds: 90,
    timeoutSeconds: 0.5,
    retries: 9,
    startPeriodSeconds: 3600,
  };
  expect(containerOf({ healthCheck }).healthcheck).toMatchObject({
    interval: '1m30s',
    timeout: '500ms',
    retries: 9,
    start_period: '1h0m0s',
  });
});

test('no command leaves the health check to the image', () => {
  expect(containerOf({ healthCheck: { command: [] } })).not.toHaveProperty('healthcheck');
});

test('stopping takes as long as the service asks for', () => {
  expect(containerOf({ stopGraceSeconds: 60, stopSignal: 'SIGINT' })).toMatchObject({
    destroy_grace_seconds: 60,
    stop_timeout: 60,
    stop_signal: 'SIGINT',
  });
  expect(containerOf()).toMatchObject({ destroy_grace_seconds: 10, stop_timeout: 10 });
  expect(containerOf()).not.toHaveProperty('stop_signal');
});

test('a deploy waits for those that say so', () => {
  expect(containerOf({ deployWaitSeconds: 60 })).toMatchObject({ wait: true, wait_timeout: 60 });
  expect(containerOf()).not.toHaveProperty('wait');
});

test('writable memory is a mount, which is replaced when it changes', () => {
  const container = containerOf({
    tmpfs: [
      { path: '/tmp', sizeMiB: 16 },
      { path: '/run/app', sizeMiB: 1, mode: '0700' },
    ],
  });

  expect(container.mounts).toEqual([
    { type: 'tmpfs', target: '/tmp', tmpfs_options: { size_bytes: 16_777_216, mode: 0o1777 } },
    { type: 'tmpfs', target: '/run/app', tmpfs_options: { size_bytes: 1_048_576, mode: 0o700 } },
  ]);
  expect(container).not.toHaveProperty('tmpfs');
});

test('names that are none of the stack’s are asked of nobody, unless the container has a way out', () => {
  const { container } = synthesiseWorkloads((stack) => {
    const server = aService(stack, 'server');
    const http = server.expose('http', { scheme: 'http', port: 80 });
    aService(stack, 'client').connectTo(http);
    aJob(stack, 'download', { egress: { reason: 'downloads what is needed' } }).connectTo(http);
    aService(stack, 'alone');
  });

  expect([container('server').dns, container('client').dns]).toEqual([['127.0.0.1'], ['127.0.0.1']]);
  expect(container('download')).not.toHaveProperty('dns');
  expect(container('alone')).not.toHaveProperty('dns');
});

test('limits are passed on', () => {
  expect(containerOf({ shmSizeMiB: 256, openFiles: 65_535 })).toMatchObject({
    shm_size: 256,
    ulimit: [
      { name: 'core', soft: 0, hard: 0 },
      { name: 'nofile', soft: 65_535, hard: 65_535 },
    ],
  });
  expect(containerOf()).not.toHaveProperty('shm_size');
  expect(containerOf().ulimit).toContainEqual({ name: 'nofile', soft: 16_384, hard: 16_384 });
});

test('variables are in the order of their names', () => {
  expect(containerOf({ environment: { ZONE: 'z', ALPHA: 'a' } }).env).toEqual(['ALPHA=a', 'ZONE=z']);
});

test('ports are in the order of the container’s ports, which is how the provider compares them', () => {
  const { container } = synthesiseWorkloads((stack) => {
    const service = aService(stack, 'service');
    for (const [name, internal, external] of [
      ['high', 9090, 1001],
      ['low', 80, 1002],
      ['middle', 443, 1003],
    ] as const) {
      service.publish(service.expose(name, { scheme: 'http', port: internal }), {
        port: external,
        address: '127.0.0.1',
      });
    }
  });

  expect(container('service').ports).toEqual([
    { internal: 80, external: 1002, ip: '127.0.0.1', protocol: 'tcp' },
    { internal: 443, external: 1003, ip: '127.0.0.1', protocol: 'tcp' },
    { internal: 9090, external: 1001, ip: '127.0.0.1', protocol: 'tcp' },
  ]);
});

test('data volumes are mounted by name, and are nobody’s resource', () => {
  const { container, volumes } = synthesiseWorkloads((stack) => {
    const service = aService(stack, 'service');
    service.addDataVolume({ id: 'service-data', path: '/data' });
    service.addDataVolume({ id: 'models', name: 'models-of-all', path: '/models', readOnly: true });
  });

  expect(container('service').mounts).toEqual([
    { type: 'volume', source: 'test-service-data', target: '/data', read_only: false },
    { type: 'volume', source: 'models-of-all', target: '/models', read_only: true },
  ]);
  expect(volumes).toEqual({});
});

test('folders of the host are mounted for reading only', () => {
  const { container } = synthesiseWorkloads((stack) =>
    aService(stack, 'service').addHostMount({ hostPath: '/', path: '/host', reason: 'measures file systems' }),
  );

  expect(container('service').mounts).toEqual([
    { type: 'bind', source: '/', target: '/host', read_only: true, bind_options: { propagation: 'rslave' } },
  ]);
});

test('a workload starts after its servers and after what it was told to wait for', () => {
  const { container } = synthesiseWorkloads((stack) => {
    const job = aJob(stack, 'z-job');
    const service = aService(stack, 'a-service');
    service.connectTo(aService(stack, 'server').expose('http', { scheme: 'http', port: 80 }));
    service.runAfter(job);
  });

  expect(container('a-service').depends_on).toEqual(['docker_container.server', 'docker_container.z-job']);
});
