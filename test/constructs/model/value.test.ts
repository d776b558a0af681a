import { RootConstruct } from 'constructs';
import { expect, test } from 'vitest';
import { hostPort, ownAddress, text, url } from '../../../constructs/model/index.js';
import { aService } from '../../support/workloads.js';

const endpoint = aService(new RootConstruct(), 'server').expose('http', { scheme: 'http', port: 80 });

test('a text keeps its values as they are, in their places', () => {
  expect(text`--listen=${ownAddress}:80`).toEqual({ kind: 'text', parts: ['--listen=', ownAddress, ':80'] });
  expect(text`${hostPort(endpoint)}${url(endpoint)}`).toEqual({
    kind: 'text',
    parts: [hostPort(endpoint), url(endpoint)],
  });
});

test('an endpoint without a path of its own starts at the root', () => {
  expect(endpoint.basePath).toBe('');
  expect(url(endpoint)).toEqual({ kind: 'url', endpoint, path: '' });
});
