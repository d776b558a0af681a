import { expect, test } from 'vitest';
import { gatewayOf } from '../../../../constructs/engines/docker/subnet.js';

test.each([
  ['10.231.0.0/29', '10.231.0.1'],
  ['10.231.0.8/29', '10.231.0.9'],
  ['10.231.15.248/29', '10.231.15.249'],
  ['192.168.4.0/24', '192.168.4.1'],
])('the host has the first address of %s: %s', (subnet, gateway) => {
  expect(gatewayOf(subnet)).toBe(gateway);
});
