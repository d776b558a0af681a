import { RootConstruct } from 'constructs';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Endpoint, SecretRef, type Service, secretPath, url } from '../../../constructs/model/index.js';
import { aService, failureOf } from '../../support/workloads.js';

let client: Service;
let server: Service;
let open: Endpoint;
let locked: Endpoint;
const key = new SecretRef('server-key', 'opens the server');

beforeEach(() => {
  const root = new RootConstruct('test');
  client = aService(root, 'client');
  server = aService(root, 'server');
  open = server.expose('metrics', { scheme: 'http', port: 9090 });
  locked = server.expose('http', { scheme: 'http', port: 80, credential: key });
});

describe('connectTo', () => {
  test('gives the client an address, a credential, and the way there', () => {
    client.connectTo(locked, { url: 'SERVER_URL', credential: 'SERVER_KEY_FILE' });

    expect([...client.environment]).toEqual([
      ['SERVER_URL', url(locked)],
      ['SERVER_KEY_FILE', secretPath(key, 'current')],
    ]);
    expect(client.connections).toEqual([locked]);
    expect(client.secrets).toEqual([key]);
  });

  test('gives the server nothing', () => {
    client.connectTo(locked, { url: 'SERVER_URL', credential: 'SERVER_KEY_FILE' });

    expect(server.connections).toEqual([]);
    expect(server.secrets).toEqual([]);
    expect(server.environment.size).toBe(0);
  });

  test('puts the path behind the URL', () => {
    client.connectTo(open, { url: 'SERVER_URL', path: '/v1' });

    expect(client.environment.get('SERVER_URL')).toEqual(url(open, '/v1'));
  });

  test('names the file without version for a client that rereads it', () => {
    client.connectTo(locked, { credential: 'SERVER_KEY_FILE', rereads: true });

    expect(client.environment.get('SERVER_KEY_FILE')).toEqual(secretPath(key, 'rereadable'));
  });

  test('needs no variable at all for an open endpoint', () => {
    client.connectTo(open);

    expect(client.environment.size).toBe(0);
    expect(client.connections).toEqual([open]);
  });

  test('counts one endpoint once, however often it is connected', () => {
    client.connectTo(open, { url: 'FIRST_URL' });
    client.connectTo(open, { url: 'SECOND_URL' });

    expect(client.connections).toEqual([open]);
  });

  test('refuses a credential that has nowhere to go, and says what to pass', () => {
    expect(failureOf(() => client.connectTo(locked, { url: 'SERVER_URL' }))).toEqual({
      code: 'MODEL_INVALID',
      path: 'test.client',
      message: 'the endpoint server.http needs the secret server-key, which has nowhere to go',
      remedy: "pass { credential: 'SOME_VARIABLE_FILE' }",
    });
    expect(client.environment.size).toBe(0);
    expect(client.connections).toEqual([]);
  });

  test('takes the word of a client that brings the credential in elsewhere', () => {
    client.connectTo(locked, { credentialElsewhere: true });

    expect(client.connections).toEqual([locked]);
    expect(client.secrets).toEqual([]);
  });

  test('refuses a place for a credential that the endpoint does not have', () => {
    expect(failureOf(() => client.connectTo(open, { credential: 'KEY_FILE' }))).toMatchObject({
      code: 'MODEL_INVALID',
      path: 'test.client',
      message: 'the endpoint server.metrics has no credential to put into KEY_FILE',
    });
  });

  test('refuses a connection to itself', () => {
    expect(failureOf(() => server.connectTo(open))).toMatchObject({
      code: 'MODEL_INVALID',
      path: 'test.server',
      message: 'a workload needs no connection to itself',
    });
  });

  test('refuses a variable that something else has set', () => {
    client.setEnvironment('SERVER_URL', 'http://elsewhere');

    expect(failureOf(() => client.connectTo(open, { url: 'SERVER_URL' }))).toMatchObject({
      code: 'MODEL_INVALID',
      path: 'test.client',
      message: 'the variable SERVER_URL is set already',
    });
    expect(client.environment.get('SERVER_URL')).toBe('http://elsewhere');
  });
});

describe('endpoints', () => {
  test('are told apart by name', () => {
    expect(server.endpoints.map(({ name, port }) => [name, port])).toEqual([
      ['metrics', 9090],
      ['http', 80],
    ]);
    expect(failureOf(() => server.expose('http', { scheme: 'http', port: 81 })).message).toBe(
      "the endpoint 'http' exists already",
    );
  });
});

describe('what is given out', () => {
  test('is a copy that changes nothing', () => {
    client.connectTo(locked, { url: 'SERVER_URL', credential: 'SERVER_KEY_FILE' });
    client.addDataVolume({ id: 'data', path: '/data' });

    (client.environment as Map<string, unknown>).clear();
    for (const list of [client.connections, client.secrets, client.dataVolumes, server.endpoints]) {
      (list as unknown[]).length = 0;
    }

    expect(client.environment.size).toBe(2);
    expect(client.connections).toHaveLength(1);
    expect(client.secrets).toHaveLength(1);
    expect(client.dataVolumes).toHaveLength(1);
    expect(server.endpoints).toHaveLength(2);
  });
});
