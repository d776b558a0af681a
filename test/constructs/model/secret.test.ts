import { RootConstruct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { SecretRef, secretPath, secretsOf, text } from '../../../constructs/model/index.js';
import { aService } from '../../support/workloads.js';

const key = new SecretRef('qdrant-api-key', 'opens Qdrant');

test.each(['Qdrant', 'qdrant_key', '1key', '', 'a/b', 'a..b', '${key}'])('%j is no name for a secret', (name) => {
  expect(() => new SecretRef(name, 'nothing')).toThrow(TypeError);
});

test('a reference does not let itself be serialised, wherever it hides', () => {
  expect(() => JSON.stringify(key)).toThrow("the secret 'qdrant-api-key' must not be serialised");
  expect(() => JSON.stringify({ environment: [secretPath(key, 'current')] })).toThrow(TypeError);
});

test('a value tells its secrets, however deep they are', () => {
  const other = new SecretRef('other-key', 'opens the other');
  const inner = text`--key=${secretPath(other, 'rereadable')}`;

  expect(secretsOf(text`first ${secretPath(key, 'current')} then ${inner}`)).toEqual([key, other]);
  expect(secretsOf('no secret')).toEqual([]);
});

describe('a workload mounts every secret that it names', () => {
  const mounted = (props: Parameters<typeof aService>[2]) =>
    aService(new RootConstruct(), 'service', props).secrets.map((secret) => secret.name);
  const path = secretPath(key, 'current');

  test.each([
    ['in its environment', { environment: { KEY_FILE: path } }],
    ['in its command', { command: ['serve', text`--key=${path}`] }],
    ['in its entrypoint', { entrypoint: ['/bin/sh', path] }],
  ])('%s', (_where, props) => {
    expect(mounted(props)).toEqual(['qdrant-api-key']);
  });

  test('each once, sorted by name', () => {
    const service = aService(new RootConstruct(), 'service', { environment: { KEY_FILE: path }, command: [path] });
    service.addSecret(new SecretRef('a-key', 'opens a'));
    service.addSecret(key);

    expect(service.secrets.map((secret) => secret.name)).toEqual(['a-key', 'qdrant-api-key']);
  });
});
