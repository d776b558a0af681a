import { describe, expect, test } from 'vitest';
import { SessionAccess, secretsAccess } from '../../src/operator/session-access.js';
import { planSession } from '../../src/operator/session-plan.js';
import { deployedAppsImage, requireRunning, stackOf } from '../../src/operator/stack.js';
import { devWith } from '../support/environments.js';
import { failureOf } from '../support/workloads.js';
import { deployed } from './support/inventory.js';

const stack = stackOf(devWith());
const { services, topology } = stack;
const history = services.api.connections.find(({ owner }) => owner === services.postgres);
if (!history) throw new Error('the API has no history');
const exporter = services.prometheus?.connections.find(({ owner }) => owner.node.id === 'node-exporter');
if (!services.webBot || !services.prometheus || !exporter) throw new Error('dev lacks a service');
const EVERYTHING = [
  services.qdrant.http,
  history,
  services.api.http,
  services.webBot.http,
  services.prometheus.http,
  exporter,
  ...[...services.llms.values()].map(({ http }) => http),
];

const access = (endpoints = EVERYTHING, ...missing: readonly string[]) =>
  new SessionAccess(topology, endpoints, deployed(stack, ...missing));

const NEEDS = {
  purpose: 'ingest',
  command: ['operator-ingest', '--collection', 'BD_curs_data'],
  connections: [{ endpoint: services.qdrant.http, url: 'QDRANT_URL', credential: 'QDRANT_API_KEY_FILE' }],
  deadlineSeconds: 100,
  memoryMiB: 128,
} as const;
const plan = () => planSession(topology, NEEDS, access([services.qdrant.http]), { image: 'sha256:1', run: 'r1' });

describe('the container of a session', () => {
  test('is as hardened as the services', () => {
    expect(plan().container).toMatchObject({
      User: '1000:1000',
      HostConfig: {
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
        Memory: 128 * 1024 * 1024,
        MemorySwap: 128 * 1024 * 1024,
        PidsLimit: 64,
        AutoRemove: true,
        Init: true,
        LogConfig: { Type: 'none' },
        Tmpfs: { '/tmp': expect.stringContaining('noexec') },
      },
    });
    expect(plan().container.HostConfig).not.toHaveProperty('Privileged');
    expect(plan().container.HostConfig).not.toHaveProperty('PortBindings');
  });

  test('looks up no name outside of the stack', () => {
    expect(plan().container.HostConfig?.Dns).toEqual(['127.0.0.1']);
  });

  test('runs the command of the deployed image, with addresses and paths of files, and no value', () => {
    expect(plan().container).toMatchObject({
      name: 'dev-operator-ingest-r1',
      Image: 'sha256:1',
      Cmd: ['operator-ingest', '--collection', 'BD_curs_data'],
      Env: [
        'NODE_ENV=production',
        'QDRANT_API_KEY_FILE=/run/secrets/qdrant/qdrant-api-key',
        'QDRANT_URL=http://dev-qdrant:6333',
      ],
    });
  });

  test('reads the secrets from volumes that are there, and cannot write to them', () => {
    expect(plan().container.HostConfig?.Mounts).toEqual([
      expect.objectContaining({
        Type: 'volume',
        Source: 'dev-qdrant-secrets',
        Target: '/run/secrets/qdrant',
        ReadOnly: true,
      }),
    ]);
  });

  test('sees its input end when its starter is gone, and says when nobody can be waiting any more', () => {
    expect(plan().container).toMatchObject({
      OpenStdin: true,
      StdinOnce: true,
      Labels: {
        'ragdock.environment': 'dev',
        'ragdock.session': 'ingest',
        'ragdock.session.run': 'r1',
        'ragdock.session.deadline': '100',
      },
    });
  });

  test('joins its first network when it is made and the others before it starts', () => {
    const { container, furtherNetworks } = planSession(topology, { ...NEEDS, connections: [] }, access(), {
      image: 'i',
      run: 'r',
    });
    const [first, ...others] = access().networks.map(({ name }) => name);

    expect(container.HostConfig?.NetworkMode).toBe(first);
    expect(container.NetworkingConfig?.EndpointsConfig).toEqual({ [first ?? '']: {} });
    expect(furtherNetworks).toEqual(others);
  });

  test('without anything to reach has no network', () => {
    const { container } = planSession(topology, { ...NEEDS, connections: [] }, access([]), { image: 'i', run: 'r' });

    expect(container.HostConfig).toMatchObject({ NetworkMode: 'none', Mounts: [] });
    expect(container).not.toHaveProperty('NetworkingConfig');
  });
});

describe('networks of a session', () => {
  const networksFor = (...endpoints: typeof EVERYTHING) => access(endpoints).networks.map(({ id }) => id);

  test('one for each endpoint, on which it is a server, or else a client', () => {
    expect(networksFor(services.qdrant.http)).toEqual(['qdrant-collections--qdrant']);
    // The web bot has an endpoint of its own; this one is where anything of the same server is asked.
    expect(networksFor(services.api.http)).toEqual(['prometheus--rag-api']);
    // Nobody connects to the web bot: it is found where it is a client itself, not on the network that publishes it.
    expect(networksFor(...(services.webBot ? [services.webBot.http] : []))).toEqual(['web-bot--rag-api']);
  });

  test('none twice, and none that leads out', () => {
    const ids = access().networks.map(({ id }) => id);

    expect(new Set(ids).size).toBe(ids.length);
    expect(access().networks.every(({ kind }) => kind === 'pair')).toBe(true);
  });

  test('a login is tried where PostgreSQL lets its role in', () => {
    expect(networksFor(history)).toEqual(['rag-api--postgres']);
    expect(failureOf(() => access([history], 'dev-rag-api--postgres'))).toMatchObject({
      code: 'STACK_NOT_DEPLOYED',
      message: expect.stringContaining('network dev-rag-api--postgres'),
    });
  });

  test('another way is taken when one is not there', () => {
    expect(access([services.qdrant.http], 'dev-qdrant-collections--qdrant').networks[0]?.id).toBe('rag-api--qdrant');
  });

  test('a server on the network of the host is its gateway', () => {
    const [network] = access([exporter]).networks;

    expect(network?.id).toBe('prometheus--node-exporter');
    expect(access([exporter]).hostEntries).toEqual([`dev-node-exporter:${network?.gateway}`]);
    expect(access([services.qdrant.http]).hostEntries).toEqual([]);
  });
});

describe('secrets of a session', () => {
  test('come from the server that checks them: what a client holds may be wrong', () => {
    expect(
      access()
        .volumes.map(({ name }) => name)
        .sort(),
    ).toEqual([
      'dev-llm-main-secrets',
      'dev-qdrant-secrets',
      // PostgreSQL's own belong to another user.
      'dev-rag-api-secrets',
    ]);
    expect(access().user).toEqual({ uid: 1000, gid: 1000 });
    expect(access().credentialFile(history.credential ?? failed())).toBe(
      '/run/secrets/rag-api/postgres-rag-api-password',
    );
  });

  test('come from a client when the server’s volume is not there', () => {
    // The job holds nothing but this key; the API would bring three more.
    expect(access([services.qdrant.http], 'dev-qdrant-secrets').volumes.map(({ name }) => name)).toEqual([
      'dev-qdrant-collections-secrets',
    ]);
  });

  test('a volume that nobody has is named', () => {
    const volumes = ['dev-qdrant-secrets', 'dev-qdrant-collections-secrets', 'dev-rag-api-secrets'];

    expect(failureOf(() => access([services.qdrant.http], ...volumes))).toMatchObject({
      code: 'STACK_NOT_DEPLOYED',
      message: expect.stringContaining('volume dev-qdrant-secrets'),
    });
  });

  test('one that the session was not given has no path', () => {
    expect(() => access([services.api.http]).credentialFile(history.credential ?? failed())).toThrow(
      'postgres-rag-api-password',
    );
  });
});

describe('what has to be there', () => {
  test('a container that is missing, or does not run, is named with the command that starts it', () => {
    const inventory = deployed(stack, 'dev-qdrant');
    inventory.containers.get('dev-rag-api');
    const stopped = new Map(inventory.containers).set('dev-rag-api', { image: 'x', state: 'exited' });

    expect(
      failureOf(() => requireRunning(topology, { ...inventory, containers: stopped }, [services.qdrant, services.api])),
    ).toMatchObject({
      code: 'STACK_NOT_DEPLOYED',
      message: expect.stringMatching(/container dev-qdrant, container dev-rag-api \(it is there, but exited\)/),
      remedy: expect.stringContaining('npx cdktf deploy dev'),
    });
    expect(() => requireRunning(topology, deployed(stack), [services.qdrant])).not.toThrow();
  });

  test('the image is the API’s, or while that one is missing another app’s', () => {
    expect(deployedAppsImage(stack, deployed(stack))).toBe('sha256:dev-rag-api');
    expect(deployedAppsImage(stack, deployed(stack, 'dev-rag-api'))).toMatch(/^sha256:dev-/);
    expect(failureOf(() => deployedAppsImage(stack, { ...deployed(stack), containers: new Map() })).code).toBe(
      'STACK_NOT_DEPLOYED',
    );
  });
});

function failed(): never {
  throw new Error('the endpoint has no credential');
}

describe('a session that reads secrets alone', () => {
  const names = Object.keys(topology.lock.secrets);

  test('gets every secret of the environment, in few sessions, each of one user, on no network', () => {
    const found = secretsAccess(topology, names, deployed(stack));

    expect(found.flatMap(({ secrets }) => secrets).sort()).toEqual([...names].sort());
    expect(new Set(found.map(({ access: { user } }) => user.uid)).size).toBe(found.length);
    for (const { access: given } of found) {
      const { container, furtherNetworks } = planSession(
        topology,
        { purpose: 'mask', command: ['operator-mask'], connections: [], deadlineSeconds: 1, memoryMiB: 64 },
        given,
        { image: 'sha256:1', run: 'r1' },
      );
      expect(container.HostConfig?.NetworkMode).toBe('none');
      expect(furtherNetworks).toEqual([]);
      for (const mount of container.HostConfig?.Mounts ?? []) expect(mount.ReadOnly).toBe(true);
      const holders = topology.workloads.filter(({ user }) => user.uid === given.user.uid);
      const volumes = holders.map((holder) => `${topology.containerName(holder)}-secrets`);
      for (const { name } of given.volumes) expect(volumes).toContain(name);
    }
  });

  test('takes the volumes that are there, and leaves out what none of them holds', () => {
    const all = deployed(stack);
    const volumes = new Set([...all.volumes].filter((name) => name === 'dev-qdrant-secrets'));
    const found = secretsAccess(topology, names, { volumes });

    expect(found.map(({ secrets, access: given }) => [secrets, given.volumes])).toEqual([
      [['qdrant-api-key'], [{ name: 'dev-qdrant-secrets', path: '/run/secrets/qdrant' }]],
    ]);
    expect(secretsAccess(topology, names, { volumes: new Set() })).toEqual([]);
  });
});
