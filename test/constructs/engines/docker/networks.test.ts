import { expect, test } from 'vitest';
import { synthesiseWorkloads } from '../../../support/synth.js';
import { aJob, aService } from '../../../support/workloads.js';

const MASQUERADE = 'com.docker.network.bridge.enable_ip_masquerade';
const GATEWAY_MODE = 'com.docker.network.bridge.gateway_mode_ipv4';

test('a pair is closed to the outside and to the host, on the subnet that the lock file promises', () => {
  const { container, networks } = synthesiseWorkloads(
    (stack) => {
      const http = aService(stack, 'server').expose('http', { scheme: 'http', port: 80 });
      aService(stack, 'client').connectTo(http);
      aService(stack, 'stranger');
    },
    { networks: { 'client--server': '10.231.0.8/29' } },
  );

  expect(networks).toEqual({
    'client--server': {
      name: 'test-client--server',
      driver: 'bridge',
      internal: true,
      ipam_config: [{ subnet: '10.231.0.8/29', gateway: '10.231.0.9' }],
      options: { [GATEWAY_MODE]: 'isolated' },
    },
  });
  const joined = [{ name: '${docker_network.client--server.id}' }];
  expect(container('client').networks_advanced).toEqual(joined);
  expect(container('server').networks_advanced).toEqual(joined);
  expect(container('stranger')).toMatchObject({ network_mode: 'none' });
  expect(container('stranger')).not.toHaveProperty('networks_advanced');
});

test('the network of a published port lets nobody out', () => {
  const { container, networks } = synthesiseWorkloads((stack) => {
    const service = aService(stack, 'service');
    service.publish(service.expose('http', { scheme: 'http', port: 80 }), { port: 8080, address: '127.0.0.1' });
  });

  expect(networks['service--published']).toMatchObject({ internal: false, options: { [MASQUERADE]: 'false' } });
  expect(container('service').networks_advanced).toEqual([{ name: '${docker_network.service--published.id}' }]);
});

test('a way out is open', () => {
  const { networks } = synthesiseWorkloads((stack) => {
    aJob(stack, 'job', { egress: { reason: 'downloads a model' } });
  });

  expect(networks['job--egress']).toMatchObject({ name: 'test-job--egress', internal: false });
  expect(networks['job--egress']).not.toHaveProperty('options');
});

test('a subnet that the lock file does not promise stops the synth', () => {
  const synth = () =>
    synthesiseWorkloads(
      (stack) =>
        aService(stack, 'client').connectTo(aService(stack, 'server').expose('http', { scheme: 'http', port: 80 })),
      { networks: {} },
    );

  expect(synth).toThrow(expect.objectContaining({ code: 'LOCK_STALE' }));
});
