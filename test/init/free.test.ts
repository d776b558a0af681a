import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { freePool, freePort, portInUse } from '../../src/init/free.js';
import { closedPort } from '../support/http-server.js';

const FIRST = '10.231.0.0/20';

test('a pool that overlaps nothing stays', () => {
  expect(freePool(FIRST, [{ what: '172.17.0.0/16', by: 'bridge' }])).toEqual({ value: FIRST });
});

test('the next pool is chosen that overlaps nothing, larger and smaller ranges alike', () => {
  const dev = { what: FIRST, by: 'dev' };
  const small = { what: '10.231.16.8/29', by: 'small' };
  const large = { what: '10.231.32.0/19', by: 'large' };
  expect(freePool(FIRST, [dev, small, large])).toEqual({ value: '10.231.64.0/20', instead: dev });
});

test('without any free pool, who holds the first one is told', () => {
  expect(() => freePool(FIRST, [{ what: '10.0.0.0/8', by: 'a network' }])).toThrow(/^NAME_CLASH\n.* held by a network/);
});

test('a port is chosen that nobody has', async () => {
  const taken = [
    { what: 8080, by: 'dev' },
    { what: 8082, by: 'lab' },
  ];
  const inUse = async (port: number) => port === 8081;
  expect(await freePort(8080, [], inUse)).toEqual({ value: 8080 });
  expect(await freePort(8080, taken, inUse)).toEqual({ value: 8083, instead: taken[0] });
  expect(await freePort(8081, [], inUse)).toMatchObject({ value: 8082, instead: { what: 8081 } });
  await expect(freePort(8080, [], async () => true)).rejects.toThrow(/^NAME_CLASH\n.* from 8080 to 8179 is free/);
});

test('a port on which somebody listens is in use', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  expect(await portInUse(typeof address === 'object' && address ? address.port : 0)).toBe(true);
  expect(await portInUse(await closedPort())).toBe(false);
});
