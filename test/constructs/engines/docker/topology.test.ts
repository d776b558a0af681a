import { RootConstruct } from 'constructs';
import { beforeEach, describe, expect, test } from 'vitest';
import { Topology } from '../../../../constructs/engines/docker/index.js';
import {
  type Endpoint,
  hostPort,
  ownAddress,
  SecretRef,
  type Service,
  secretPath,
  text,
  url,
} from '../../../../constructs/model/index.js';
import { lockFor, synthesiseWorkloads } from '../../../support/synth.js';
import { aService, failureOf } from '../../../support/workloads.js';

const key = new SecretRef('server-key', 'opens the server');
const hostNetwork = { hostNetwork: true, reason: 'measures the interfaces of the host' };

let root: RootConstruct;
let client: Service;
let server: Service;
let http: Endpoint;
const topology = (lock = lockFor(root)) => new Topology(root, 'test', lock);

beforeEach(() => {
  root = new RootConstruct('root');
  client = aService(root, 'client');
  server = aService(root, 'server');
  http = server.expose('http', { scheme: 'http', port: 8000, credential: key });
});

describe('names', () => {
  test('are the environment and the id, unless they were given', () => {
    const named = aService(root, 'named', { containerName: 'ml_postgres' });

    expect(topology().containerName(server)).toBe('test-server');
    expect(topology().containerName(named)).toBe('ml_postgres');
    expect(topology().volumeName({ id: 'server-data', path: '/data' })).toBe('test-server-data');
    expect(topology().volumeName({ id: 'server-data', name: 'qdrant_storage_new', path: '/data' })).toBe(
      'qdrant_storage_new',
    );
  });
});

describe('render', () => {
  test('leaves text as it is', () => {
    expect(topology().render('${X}', client)).toBe('${X}');
  });

  test('writes an endpoint as its reader reaches it', () => {
    expect(topology().render(url(http), client)).toBe('http://test-server:8000');
    expect(topology().render(url(http, '/v1/chat'), client)).toBe('http://test-server:8000/v1/chat');
    expect(topology().render(hostPort(http), client)).toBe('test-server:8000');
  });

  test("uses a container's given name", () => {
    const named = aService(root, 'named', { containerName: 'ml_postgres' });
    const sql = named.expose('sql', { scheme: 'postgresql', port: 5432, user: 'rag_api', basePath: '/ml_db' });

    expect(topology().render(url(sql), client)).toBe('postgresql://rag_api@ml_postgres:5432/ml_db');
    expect(topology().render(url(sql, '?sslmode=disable'), client)).toBe(
      'postgresql://rag_api@ml_postgres:5432/ml_db?sslmode=disable',
    );
  });

  test('writes where a secret is, with its version in force for who does not look for it', () => {
    client.connectTo(http, { credential: 'KEY_FILE' });
    const lock = { ...lockFor(root), secrets: { 'server-key': { version: 7 } } };

    expect(topology(lock).render(secretPath(key, 'current'), client)).toBe('/run/secrets/server-key.v7');
    expect(topology(lock).render(secretPath(key, 'rereadable'), client)).toBe('/run/secrets/server-key');
  });

  test('renders every part of a text', () => {
    expect(topology().render(text`--targets=${hostPort(http)},${url(http)} --on ${ownAddress}:80`, client)).toBe(
      '--targets=test-server:8000,http://test-server:8000 --on 0.0.0.0:80',
    );
  });
});

describe('a server on the network of the host', () => {
  beforeEach(() => {
    server = aService(root, 'exporter', { relax: hostNetwork });
    http = server.expose('metrics', { scheme: 'http', port: 9100 });
  });

  test('listens on the host’s end of the network that its one client is on', () => {
    client.connectTo(http);
    const lock = { ...lockFor(root), networks: { 'client--exporter': '10.1.2.8/29' } };

    expect(topology(lock).render(ownAddress, server)).toBe('10.1.2.9');
    expect(topology(lock).networksOf(server)).toEqual([]);
    expect(topology(lock).hostEntries(client)).toEqual([{ host: 'test-exporter', ip: '10.1.2.9' }]);
  });

  test('gets a name on its client, a network that ends at the host, and starts after that network', () => {
    const { containers, networks } = synthesiseWorkloads(
      (stack) => {
        const exporter = aService(stack, 'exporter', { relax: hostNetwork, command: [text`--listen=${ownAddress}`] });
        aService(stack, 'client').connectTo(exporter.expose('metrics', { scheme: 'http', port: 9100 }));
      },
      { networks: { 'client--exporter': '10.1.2.8/29' } },
    );

    expect(containers.client?.host).toEqual([{ host: 'test-exporter', ip: '10.1.2.9' }]);
    expect(containers.exporter).toMatchObject({
      network_mode: 'host',
      command: ['--listen=10.1.2.9'],
      depends_on: ['docker_network.client--exporter'],
    });
    expect(containers.exporter).not.toHaveProperty('networks_advanced');
    expect(networks['client--exporter']?.internal).toBe(true);
    expect(networks['client--exporter']).not.toHaveProperty('options');
  });

  test('cannot listen for two clients', () => {
    client.connectTo(http);
    aService(root, 'another').connectTo(http);

    expect(failureOf(() => topology().render(ownAddress, server))).toEqual({
      code: 'ENGINE_UNSUPPORTED',
      path: 'root.exporter',
      message: "a service on the host's network listens for exactly one client, and has several",
      remedy: 'connect one client to it',
    });
  });

  test('cannot listen for nobody', () => {
    expect(failureOf(() => topology().render(ownAddress, server))).toMatchObject({
      code: 'ENGINE_UNSUPPORTED',
      message: "a service on the host's network listens for exactly one client, and has none",
    });
  });
});

describe('clients', () => {
  test('are listed with what they were connected to and where they come from, by id', () => {
    const metrics = server.expose('metrics', { scheme: 'http', port: 9090 });
    const another = aService(root, 'another');
    client.connectTo(http, { credential: 'KEY_FILE' });
    client.connectTo(metrics);
    another.connectTo(metrics);
    const networks = { 'another--server': '10.0.0.0/29', 'client--server': '10.0.0.8/29' };
    const lock = { ...lockFor(root), networks };

    expect(topology(lock).clientsOf(server)).toEqual([
      { client: another, endpoints: [metrics], subnet: '10.0.0.0/29' },
      { client, endpoints: [http, metrics], subnet: '10.0.0.8/29' },
    ]);
  });

  test('without a connection there is no network', () => {
    expect(failureOf(() => topology().pairNetwork(client, server))).toMatchObject({
      code: 'MODEL_INVALID',
      message: 'there is no network to server',
    });
  });
});

describe('a lock file that is behind', () => {
  test('lacks a subnet', () => {
    client.connectTo(http, { credential: 'KEY_FILE' });

    expect(failureOf(() => topology({ ...lockFor(root), networks: {} }))).toEqual({
      code: 'LOCK_STALE',
      path: 'networks.client--server',
      message: 'the lock file promises no subnet for the network client--server',
      remedy: 'Run `ragdock lock test` and commit the change.',
    });
  });

  test('lacks a secret', () => {
    expect(failureOf(() => topology().secretVersion(key))).toEqual({
      code: 'LOCK_STALE',
      path: 'secrets.server-key',
      message: 'the lock file does not know the secret server-key',
      remedy: 'Run `ragdock lock test` and commit the change.',
    });
  });
});
