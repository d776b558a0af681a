import { expect, test } from 'vitest';
import {
  capacity,
  contains,
  freeSubnets,
  isPrivate,
  isSubnet,
  overlaps,
  parseRange,
  showRange,
} from '../../config/subnets.js';

test.each([
  ['10.231.0.0/20', 0x0ae70000, 0x0ae70fff],
  ['0.0.0.0/0', 0, 0xffffffff],
  ['255.255.255.248/29', 0xfffffff8, 0xffffffff],
  ['192.168.1.7/24', 0xc0a80100, 0xc0a801ff],
])('%s is read with its first and last address', (text, first, last) => {
  expect(parseRange(text)).toMatchObject({ first, last });
});

test('a range is shown by its first address', () => {
  expect(showRange(parseRange('192.168.1.7/24'))).toBe('192.168.1.0/24');
  expect(showRange(parseRange('255.255.255.255/29'))).toBe('255.255.255.248/29');
});

test.each([
  ['10.0.0.0/8', true],
  ['172.16.0.0/12', true],
  ['172.31.255.0/24', true],
  ['172.32.0.0/24', false],
  ['192.168.0.0/15', false],
  ['9.255.255.0/24', false],
  ['0.0.0.0/0', false],
])('%s is private: %s', (text, expected) => {
  expect(isPrivate(parseRange(text))).toBe(expected);
});

test.each([
  ['10.0.0.0/29', true],
  ['10.0.0.8/29', true],
  ['10.0.0.4/29', false],
  ['10.0.0.0/28', false],
  ['10.0.0.0/30', false],
])('%s is a subnet as a lock file writes it: %s', (text, expected) => {
  expect(isSubnet(text)).toBe(expected);
});

test('free subnets are the ones of the pool that overlap none of the taken, from the lowest on', () => {
  const pool = parseRange('10.0.0.0/26');
  const taken = ['10.0.0.16/28', '10.0.0.8/30', '10.0.0.56/29', '10.0.1.0/24', '9.0.0.0/8'].map(parseRange);
  expect([...freeSubnets(pool, taken)].map(showRange)).toEqual([
    '10.0.0.0/29',
    '10.0.0.32/29',
    '10.0.0.40/29',
    '10.0.0.48/29',
  ]);
  expect([...freeSubnets(pool, [])]).toHaveLength(capacity(pool));
  expect([...freeSubnets(pool, [parseRange('10.0.0.0/8')])]).toEqual([]);
  for (const free of freeSubnets(pool, taken)) {
    expect(contains(pool, free)).toBe(true);
    expect(taken.some((range) => overlaps(range, free))).toBe(false);
  }
});

test.each([
  ['10.0.0.8/32', '10.0.0.0/28', true],
  ['10.0.0.15/32', '10.0.0.0/28', true],
  ['10.0.0.0/32', '10.0.0.0/28', true],
  ['10.0.0.16/32', '10.0.0.0/28', false],
  ['9.255.255.255/32', '10.0.0.0/28', false],
])('%s overlaps %s: %s, from both sides', (a, b, expected) => {
  expect(overlaps(parseRange(a), parseRange(b))).toBe(expected);
  expect(overlaps(parseRange(b), parseRange(a))).toBe(expected);
});

test('the highest pool there is comes to its end', () => {
  expect([...freeSubnets(parseRange('255.255.255.0/24'), [])]).toHaveLength(32);
});
