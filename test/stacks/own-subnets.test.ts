import { expect, test } from 'vitest';
import { contains, isSubnet, parseRange } from '../../config/subnets.js';
import { type OwnNetworks, subnetsOf } from '../../stacks/own-subnets.js';
import { failureOf } from '../support/workloads.js';

const POOL = '10.240.0.0/20';

const subnets = (over: Partial<OwnNetworks>): Readonly<Record<string, string>> =>
  subnetsOf({ stack: 'test', ids: [], settled: {}, pool: POOL, ...over });

test('a network gets a subnet of the pool', () => {
  const subnet = subnets({ ids: ['a--b'] })['a--b'] ?? '';

  expect(subnet).toSatisfy(isSubnet);
  expect(contains(parseRange(POOL), parseRange(subnet))).toBe(true);
});

test('the subnet of a network stays when others come and go', () => {
  const alone = subnets({ ids: ['m--n'] });

  expect(subnets({ ids: ['a--b', 'm--n', 'x--y'], settled: { 'c--d': '10.231.0.0/29' } })).toMatchObject(alone);
});

test('stacks with one pool get other subnets', () => {
  expect(subnets({ ids: ['a--b'], stack: 'one' })).not.toEqual(subnets({ ids: ['a--b'], stack: 'two' }));
});

test('what is settled is not asked again, and needs no pool', () => {
  const settled = { 'a--b': '10.231.0.0/29', 'gone--b': '10.231.0.8/29' };

  expect(subnets({ ids: ['a--b'], settled, pool: undefined })).toEqual(settled);
});

test.each<[what: string, given: Partial<OwnNetworks>, message: string, remedy: RegExp]>([
  [
    'no pool',
    { ids: ['a--b', 'c--d'], settled: { 'a--b': '10.231.0.0/29' }, pool: undefined },
    'no subnet is given for c--d',
    /`networkPool`/,
  ],
  [
    'a pool that is no range',
    { ids: ['a--b'], pool: 'ten' },
    'networkPool: ten is no range of addresses',
    /private|10\./,
  ],
  [
    'a pool that belongs to somebody else',
    { ids: ['a--b'], pool: '11.0.0.0/20' },
    'networkPool: 11.0.0.0/20 is not a private range, so it belongs to somebody else',
    /^Use a part of/,
  ],
  [
    'a subnet that is none',
    { settled: { 'a--b': '10.231.0.4/29' } },
    '10.231.0.4/29 of a--b is no /29 named by its first address',
    /10\.240\.0\.8\/29/,
  ],
  [
    'one subnet for two',
    { settled: { 'a--b': '10.231.0.0/29', 'c--d': '10.231.0.0/29' } },
    'the networks a--b and c--d both get 10.231.0.0/29',
    /^Name another subnet for c--d/,
  ],
])('%s is refused', (_what, given, message, remedy) => {
  expect(failureOf(() => subnets(given))).toMatchObject({
    code: 'MODEL_INVALID',
    path: 'test',
    message,
    remedy: expect.stringMatching(remedy),
  });
});

test('two networks whose ids name one subnet are refused, and one is settled by hand', () => {
  // The smallest pool has 32 subnets, so among 33 networks two name the same one.
  const ids = Array.from({ length: 33 }, (_, number) => `client-${number}--server`);
  const { message = '' } = failureOf(() => subnets({ ids, pool: '10.240.0.0/24' }));
  const [, one = '', other = ''] = /^the networks (\S+) and (\S+) both get 10\.240\.0\./.exec(message) ?? [];

  const settled = { [other]: '10.240.1.0/29' };
  expect(Object.keys(subnets({ ids: [one, other], pool: '10.240.0.0/24', settled })).sort()).toEqual(
    [one, other].sort(),
  );
});
