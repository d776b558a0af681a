import { expect, test } from 'vitest';
import { lookAtEngine } from '../../src/init/look-at-engine.js';
import { json } from '../support/http-server.js';
import { hostEngine } from './support/host-engine.js';

const { signal } = new AbortController();
const lookAt = (address: string) => lookAtEngine(address, { signal });

test('tells what a new environment wants to know, and only reads', async () => {
  const engine = await hostEngine({
    memoryGiB: 4,
    networks: [{ name: 'bridge', subnet: '172.17.0.0/16' }],
    ports: [{ container: 'web', port: 8080 }],
  });
  expect(await lookAt(engine.address)).toEqual({
    version: '28.2.2',
    memoryMiB: 4096,
    gpuDevices: [],
    nvidiaRuntime: false,
    networks: [{ name: 'bridge', subnet: '172.17.0.0/16' }],
    ports: [{ container: 'web', port: 8080 }],
  });
  expect(engine.requests.filter((request) => !request.startsWith('GET '))).toEqual([]);
});

test('GPUs are devices that the engine has discovered, or the runtime of NVIDIA', async () => {
  const devices = ['nvidia.com/gpu=0', 'nvidia.com/gpu=all', 'vendor.com/net=1'].map((ID) => ({ Source: 'cdi', ID }));
  const engine = await hostEngine({ info: { Runtimes: { nvidia: {}, runc: {} }, DiscoveredDevices: devices } });
  expect(await lookAt(engine.address)).toMatchObject({
    gpuDevices: ['nvidia.com/gpu=0', 'nvidia.com/gpu=all'],
    nvidiaRuntime: true,
  });
});

test.each([
  ['nobody is there', () => 'unix:///nowhere/docker.sock', /ENOENT/],
  [
    'it refuses',
    async () => {
      const engine = await hostEngine();
      engine.intercept = (request, response) => {
        if (request.url !== '/info') return false;
        json(response, 403, { message: 'not for you' });
        return true;
      };
      return engine.address;
    },
    /not for you/,
  ],
])('%s: the reason is told', async (_name, addressOf, reason) => {
  expect(await lookAt(await addressOf())).toEqual({ unreachable: expect.stringMatching(reason) });
});

test('one that never answers is not waited for when nobody wants to know any more', async () => {
  const engine = await hostEngine();
  const interrupt = new AbortController();
  engine.intercept = () => {
    interrupt.abort();
    return true;
  };
  const { address } = engine;
  expect(await lookAtEngine(address, { signal: interrupt.signal })).toEqual({ unreachable: expect.any(String) });
});
