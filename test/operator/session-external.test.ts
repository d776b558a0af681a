import { describe, expect, test } from 'vitest';
import { SessionAccess } from '../../src/operator/session-access.js';
import { planSession } from '../../src/operator/session-plan.js';
import { requireRunning, stackOf } from '../../src/operator/stack.js';
import { needsOf, pathOf, targetsOf } from '../../src/smoke/targets.js';
import { devWith, type Yaml } from '../support/environments.js';
import { deployed } from './support/inventory.js';

const CA = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

const stackWith = (change: (services: Yaml['services']) => void = () => {}) =>
  stackOf(
    devWith(
      ({ services }) => {
        services.postgres = { external: { url: 'postgresql://rag_api@db.example/ml_db', ca: CA } };
        services.qdrant = { external: { url: 'http://host.docker.internal:6333' } };
        services.llm = {
          main: { engine: 'openai', url: 'https://models.example/v1', model: 'm', contextLength: 4096 },
          other: { engine: 'openai', url: 'https://other.example/v1', model: 'o', contextLength: 4096 },
        };
        change(services);
      },
      { lock: undefined },
    ),
  );

const stack = stackWith();
const { services, topology } = stack;
const smokeAccess = (of = stack) =>
  new SessionAccess(
    of.topology,
    targetsOf(of).flatMap(({ endpoints }) => endpoints),
    deployed(of),
  );

describe('a session that ingests into Qdrant elsewhere', () => {
  const { http } = services.qdrant;
  const plan = planSession(
    topology,
    {
      purpose: 'ingest',
      command: ['operator-ingest'],
      connections: [{ endpoint: http, url: 'QDRANT_URL', credential: 'QDRANT_API_KEY_FILE' }],
      deadlineSeconds: 1,
      memoryMiB: 64,
    },
    new SessionAccess(topology, [http], deployed(stack)),
    { image: 'i', run: 'r' },
  );

  test('joins the network of a client, which leads out, and knows the Docker host by its gateway', () => {
    const network = topology.networks.find(({ id }) => id === 'qdrant-collections--qdrant');

    expect(network?.kind).toBe('external');
    expect(plan.container.HostConfig?.NetworkMode).toBe('dev-qdrant-collections--qdrant');
    expect(plan.container.HostConfig?.ExtraHosts).toEqual([`host.docker.internal:${network?.gateway}`]);
    expect(plan.furtherNetworks).toEqual([]);
  });

  test('looks up names as its client does, which leads out', () => {
    expect(plan.container.HostConfig).not.toHaveProperty('Dns');
  });

  test('reads the key where a client has it', () => {
    expect(plan.container.Env).toEqual([
      'NODE_ENV=production',
      'QDRANT_API_KEY_FILE=/run/secrets/qdrant-collections/qdrant-api-key',
      'QDRANT_URL=http://host.docker.internal:6333',
    ]);
  });

  test('is not stopped by a container that nobody deploys', () => {
    expect(() => requireRunning(topology, deployed(stack), [services.qdrant])).not.toThrow();
  });
});

describe('a session that asks everything', () => {
  test('trusts the private authorities that the API trusts', () => {
    const plan = planSession(
      topology,
      { purpose: 'smoke', command: ['operator-smoke'], connections: [], deadlineSeconds: 1, memoryMiB: 64 },
      smokeAccess(),
      { image: 'i', run: 'r' },
    );

    expect(plan.container.Env).toContain('NODE_EXTRA_CA_CERTS=/etc/ragdock-trust/node_extra_ca_certs.pem');
    expect(plan.container.HostConfig?.Mounts).toContainEqual(
      expect.objectContaining({ Target: '/etc/ragdock-trust', ReadOnly: true }),
    );
  });

  test('reaches each server elsewhere on the network of one of its clients', () => {
    const ids = smokeAccess()
      .networks.filter(({ kind }) => kind === 'external')
      .map(({ id }) => id);

    expect(ids.map((id) => id.split('--')[1]).sort()).toEqual(['llm-main', 'postgres', 'qdrant']);
  });

  test('without a private authority trusts nothing more than the public ones', () => {
    const plain = stackWith((services) => {
      services.postgres = { external: { url: 'postgresql://rag_api@db.example/ml_db' } };
    });

    expect(smokeAccess(plain).trustFile).toBeUndefined();
    expect(smokeAccess(plain).volumes.map(({ path }) => path)).not.toContain('/etc/ragdock-trust');
  });
});

describe('what smoke asks', () => {
  const asked = targetsOf(stack).map(({ target }) => target(smokeAccess()));

  test('the servers elsewhere that the API needs, at their own addresses, without settings that are not ours', () => {
    expect(asked.filter(({ id }) => /^(postgres|qdrant|llm-)/.test(id))).toEqual([
      {
        id: 'postgres',
        kind: 'postgres',
        needs: [],
        url: 'postgresql://rag_api@db.example:5432/ml_db?sslmode=verify-full',
        passwordFile: expect.stringMatching(/postgres-rag-api-password$/),
        settings: {},
      },
      expect.objectContaining({ id: 'qdrant', url: 'http://host.docker.internal:6333', needs: [] }),
      { id: 'llm-main', kind: 'llm', needs: [], url: 'https://models.example:443', model: 'm', completes: false },
    ]);
  });

  test('a server elsewhere explains the failures of those that need it', () => {
    expect([...needsOf(services.api)].sort()).toEqual(['llm-main', 'postgres', 'qdrant']);
    expect(pathOf(stack).needs).toEqual(expect.arrayContaining(['qdrant', 'rag-api']));
    expect([...needsOf(services.qdrant)]).toEqual([]);
  });

  test('Prometheus scrapes no server that does not say where its metrics are', () => {
    const prometheus = asked.find(({ kind }) => kind === 'prometheus');
    expect(prometheus).toMatchObject({
      targets: [expect.objectContaining({ service: 'rag-api' }), expect.objectContaining({ service: 'node-exporter' })],
    });
  });
});
