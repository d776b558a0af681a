import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { networkOf, plainAddress, TrustedProxies } from '../../src/apps/client-address.js';
import { limitConnections } from '../../src/apps/connection-limits.js';
import { RateLimit } from '../../src/apps/rate-limit.js';
import { until } from '../support/until.js';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:0db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s is counted as %s', (address, client) => {
  expect(networkOf(address)).toBe(client);
});

describe('behind proxies', () => {
  const proxies = new TrustedProxies(['192.0.2.20/32', '10.0.0.0/8']);
  const client = (peer: string, forwarded?: string) =>
    proxies.clientOf({
      socket: { remoteAddress: peer } as Socket,
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    });

  test.each([
    ['198.51.100.1', '203.0.113.7', '198.51.100.1'],
    ['192.0.2.20', '203.0.113.7', '203.0.113.7'],
    ['::ffff:192.0.2.20', '203.0.113.7', '203.0.113.7'],
    ['192.0.2.20', '1.2.3.4, 203.0.113.7', '203.0.113.7'],
    ['192.0.2.20', '1.2.3.4, 203.0.113.7, 10.1.2.3', '203.0.113.7'],
    ['192.0.2.20', 'nonsense', '192.0.2.20'],
    ['192.0.2.20', undefined, '192.0.2.20'],
  ])('%s with X-Forwarded-For %s is %s', (peer, forwarded, expected) => {
    expect(client(peer, forwarded)).toBe(expected);
  });
});

describe('a rate', () => {
  test('is each client’s own, and says when to come back', () => {
    let now = 0;
    const rate = new RateLimit(2, () => now);
    expect([rate.take('a'), rate.take('a')]).toEqual([0, 0]);
    expect(rate.take('a')).toBe(30_000);
    expect(rate.take('b')).toBe(0);
    now = 30_000;
    expect(rate.take('a')).toBe(0);
  });

  test('forgets those who have used nothing lately', () => {
    let now = 0;
    const rate = new RateLimit(60, () => now);
    for (let client = 0; client < 1000; client += 1) rate.take(`old-${client}`);
    now = 120_000;
    rate.take('new');
    expect(rate.size).toBe(1);
  });
});

/** A server with limits, and what asks it on connections that stay open. */
async function limited(limits: Parameters<typeof limitConnections>[1]) {
  const server = createServer((_request, response) => response.end('ok'));
  limitConnections(server, limits);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const open = (localAddress = '127.0.0.1'): Socket =>
    connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined);
  const served = async (socket: Socket): Promise<boolean> => {
    const answered = new Promise<boolean>((resolve) => {
      socket.once('data', () => resolve(true));
      socket.once('close', () => resolve(false));
    });
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    return answered;
  };
  return { open, served };
}

test('connections beyond the limit of an address are closed, and those that end make room', async () => {
  const { open, served } = await limited({ connections: 10, perAddress: 2 });
  const [first, second] = [open(), open()];
  expect([await served(first), await served(second)]).toEqual([true, true]);
  expect(await served(open())).toBe(false);
  first.destroy();
  await until('there is room again', () => served(open()));
  expect(plainAddress('::FFFF:127.0.0.1')).toBe('127.0.0.1');
});

test.runIf(process.platform === 'linux')('connections of an exempt address are not counted among all', async () => {
  const proxy = '127.0.0.2';
  const { open, served } = await limited({ connections: 2, perAddress: 2, isExempt: (address) => address === proxy });
  for (let connection = 0; connection < 4; connection += 1) expect(await served(open(proxy))).toBe(true);
  const first = open();
  expect([await served(first), await served(open('127.0.0.3'))]).toEqual([true, true]);
  expect(await served(open('127.0.0.4'))).toBe(false);
  expect(await served(open(proxy))).toBe(true);
  first.destroy();
  await until('there is room again', () => served(open('127.0.0.4')));
});
