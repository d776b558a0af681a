import { expect, test } from 'vitest';
import { nearest } from '../../src/errors/nearest.js';

const KEYS = ['services', 'secrets', 'schema', 'host', 'webBot', 'nodeExporter', 'shared_buffers'];

test.each([
  ['service', 'services'],
  ['secerts', 'secrets'],
  ['hots', 'host'],
  ['webbot', 'webBot'],
  ['web-bot', 'webBot'],
  ['NODEEXPORTER', 'nodeExporter'],
  ['shared_bufers', 'shared_buffers'],
  ['scheme', 'schema'],
  ['replicas', undefined],
  ['x', undefined],
  ['', undefined],
  ['services'.repeat(20), undefined],
])('%s is taken for %s', (text, expected) => {
  expect(nearest(text, KEYS)).toBe(expected);
});

test('the nearest of several wins', () => {
  expect(nearest('main2', ['main11', 'main1', 'man'])).toBe('main1');
});
