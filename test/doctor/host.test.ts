import { once } from 'node:events';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { ContainerInfo, NetworkInspectInfo } from 'dockerode';
import { describe, expect, onTestFinished, test } from 'vitest';
import { engineFindings } from '../../src/doctor/engine-rules.js';
import type { SeenDisk, SeenEngine, SeenStack, SeenWorkload } from '../../src/doctor/evidence.js';
import { listenersOn } from '../../src/doctor/listening.js';
import { roomAt, seeEngine } from '../../src/doctor/see-engine.js';
import { seePorts } from '../../src/doctor/see-ports.js';
import { seeVolumes } from '../../src/doctor/see-volumes.js';
import { wholeTopology } from '../../src/operator/stack.js';
import { devWith } from '../support/environments.js';
import { temporaryFolder } from '../support/folder.js';

const MIB = 1024 ** 2;

const ENGINE: SeenEngine = {
  version: '29.1.0',
  apiVersion: '1.52',
  runtimes: ['runc'],
  now: 0,
  pools: { capacity: 31, used: 1 },
  about: {},
};

const stack = (over: Partial<SeenStack>): SeenStack =>
  ({ engine: ENGINE, workloads: [], volumes: [], networks: [], ports: [], sessions: [], ...over }) as SeenStack;

const idsOf = (seen: SeenStack) => engineFindings('dev', seen).map(({ id, service }) => [id, service]);

describe('room', () => {
  const disk = (freeMiB: number, totalMiB: number): SeenDisk => ({
    name: '/var/lib/docker',
    freeBytes: freeMiB * MIB,
    totalBytes: totalMiB * MIB,
  });

  test.each([
    [disk(100, 100_000), 'disk-full'],
    [disk(4_000, 100_000), 'disk-nearly-full'],
    [disk(6_000, 1_000_000), undefined],
    [disk(20, 200), undefined],
    [disk(8, 200), 'disk-nearly-full'],
    [disk(3, 200), 'disk-full'],
  ])('%o is %s', (engineDisk, id) => {
    expect(idsOf(stack({ engine: { ...ENGINE, disk: engineDisk } }))).toEqual(id ? [[id, undefined]] : []);
  });

  test('of a volume on a disk of its own is told of its service', () => {
    const volume = { name: 'dev-qdrant-data', service: 'qdrant', foreign: [], disk: disk(0, 200) };
    expect(idsOf(stack({ volumes: [volume] }))).toEqual([['disk-full', 'qdrant']]);
  });

  test('is that of the file system, and unknown where there is none', async () => {
    const { blocks, bsize } = await statfs('/');
    expect((await roomAt('/'))?.totalBytes).toBe(blocks * bsize);
    expect(await roomAt('/nowhere')).toBeUndefined();
  });
});

describe('graphics cards', () => {
  const onCards = { id: 'llm-main', wantsNvidiaRuntime: true } as SeenWorkload;

  test('that an engine cannot hand out', () => {
    expect(idsOf(stack({ workloads: [onCards] }))).toEqual([['nvidia-runtime-missing', 'llm-main']]);
  });

  test('that it can, and that nobody wants', () => {
    expect(idsOf(stack({ workloads: [onCards], engine: { ...ENGINE, runtimes: ['nvidia', 'runc'] } }))).toEqual([]);
    expect(idsOf(stack({ workloads: [{ ...onCards, wantsNvidiaRuntime: false }] }))).toEqual([]);
  });
});

describe('an engine’s version', () => {
  test.each([
    ['20.10.24+dfsg1', '1.41', false],
    ['29.0.1', '1.52', false],
    ['2.0.0-beta.24', '1.56', false],
    ['19.03.15', '1.40', true],
  ])('%s', (version, apiVersion, isTooOld) => {
    expect(idsOf(stack({ engine: { ...ENGINE, version, apiVersion } }))).toEqual(
      isTooOld ? [['engine-too-old', undefined]] : [],
    );
  });
});

describe('address pools', () => {
  const network = (Subnet: string) => ({ Name: Subnet, IPAM: { Config: [{ Subnet }] } }) as NetworkInspectInfo;
  const info = { SystemTime: '2026-11-22T12:00:00Z' };

  test('of an engine that says nothing are the built-in ones', async () => {
    const networks = [
      network('172.17.0.0/16'),
      network('192.168.16.0/20'),
      network('10.231.0.0/29'),
      network('fd00::/64'),
    ];
    expect((await seeEngine(info, '1.41', networks, false)).pools).toEqual({ capacity: 31, used: 2 });
  });

  test('a network with addresses of its own may take several', async () => {
    const pools = { ...info, DefaultAddressPools: [{ Base: '10.10.0.0/16', Size: 24 }] };
    expect((await seeEngine(pools, '1.41', [network('10.10.0.0/22')], false)).pools).toEqual({
      capacity: 256,
      used: 4,
    });
  });
});

describe('listeners', () => {
  test('are found with their process, on either kind of address', async () => {
    const servers = [createServer().listen(0, '127.0.0.1'), createServer().listen(0, '::1')];
    await Promise.all(servers.map((server) => once(server, 'listening')));
    onTestFinished(() => servers.forEach((server) => void server.close()));
    const ports = servers.map((server) => (server.address() as { port: number }).port);
    const found = await listenersOn(new Set(ports));

    expect(found.map(({ port }) => port).sort()).toEqual([...ports].sort());
    for (const { process: holder } of found) expect(holder?.pid).toBe(process.pid);
    expect(found.map(({ address }) => address).sort()).toEqual(['0:0:0:0:0:0:0:1', '127.0.0.1']);
  });

  test('of others are told by their user, and a kernel without a table has none', async () => {
    const proc = temporaryFolder();
    expect(await listenersOn(new Set([8080]), proc)).toEqual([]);
    mkdirSync(join(proc, 'net'));
    writeFileSync(
      join(proc, 'net/tcp'),
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n' +
        '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0 100 0 0 10 0\n' +
        '   1: 0100007F:1F91 00000000:0000 01 00000000:00000000 00:00000000 00000000  1000        0 12346 1 0 100 0 0 10 0\n',
    );
    const found = await listenersOn(new Set([8080, 8081]), proc);

    expect(found).toMatchObject([{ port: 8080, address: '127.0.0.1', uid: 1000, process: undefined }]);
  });
});

describe('a port that is to be published', () => {
  const topology = wholeTopology(devWith());
  const ours = { Names: ['/dev-web-bot'], State: 'running', Ports: [{ PublicPort: 8080, IP: '127.0.0.1' }] };

  interface Look {
    readonly address?: string;
    /** Process that listens. @default - of somebody whose processes are closed to us */
    readonly by?: string;
    readonly again?: object;
  }

  const seen = ({ address = '127.0.0.1', by, again }: Look) =>
    seePorts(topology, {
      containers: [],
      listAgain: async () => (again ? [again] : []) as ContainerInfo[],
      isLocal: true,
      listeners: async () => [
        { port: 8080, address, line: 'tcp: …', uid: 0, process: by === undefined ? undefined : { pid: 77, name: by } },
      ],
    });

  test.each(['127.0.0.1', '0.0.0.0'])('is taken by who listens on %s', async (address) => {
    expect(await seen({ address })).toMatchObject([{ port: 8080, service: 'web-bot' }]);
    expect(await seen({ address, by: 'nginx' })).toMatchObject([{ stop: 'kill 77' }]);
  });

  test('is not taken by who listens on another address', async () => {
    expect(await seen({ address: '10.0.0.5' })).toEqual([]);
  });

  test('is not taken where our container was being started again, and has it now', async () => {
    expect(await seen({ again: ours })).toEqual([]);
    expect(await seen({ again: ours, by: 'docker-proxy' })).toEqual([]);
  });

  test('nor where it is still being started again, and the listener may be for it', async () => {
    const restarting = { ...ours, State: 'restarting', Ports: [] };
    expect(await seen({ again: restarting })).toEqual([]);
    expect(await seen({ again: restarting, by: 'docker-proxy' })).toEqual([]);
    expect(await seen({ again: restarting, by: 'nginx' })).toHaveLength(1);
  });

  test('is that of a container which has come meanwhile', async () => {
    const other = { ...ours, Names: ['/other-web'] };
    expect(await seen({ again: other, by: 'docker-proxy' })).toMatchObject([
      { holder: 'the container other-web', stop: 'docker stop other-web' },
    ]);
  });

  test.each(['docker-proxy', 'dockerd', 'rootlesskit', 'rootlessport'])('nobody is told to kill %s', async (by) => {
    expect(await seen({ by })).toMatchObject([
      { holder: expect.stringContaining(`${by} (77)`), stop: 'docker ps --filter publish=8080' },
    ]);
  });
});

describe('volumes', () => {
  const topology = wholeTopology(devWith());
  /** A volume of Qdrant, uid 1000, as a folder of this machine. */
  function volume(owner: number): { folder: string; volumes: Parameters<typeof seeVolumes>[1] } {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'collections'));
    chownSync(folder, owner, owner);
    chownSync(join(folder, 'collections'), owner, owner);
    return { folder, volumes: [{ Name: 'dev-qdrant-data', Mountpoint: folder }] as never };
  }
  const isRoot = process.getuid?.() === 0;

  // Only root may give a folder away; CI and the test host are root.
  test.skipIf(!isRoot && process.env.CI !== '1')('that belong to somebody else', async () => {
    const { volumes } = volume(33);
    expect(await seeVolumes(topology, volumes, true, '/')).toMatchObject([
      {
        name: 'dev-qdrant-data',
        service: 'qdrant',
        wantedOwner: '1000:1000',
        foreign: ['. belongs to 33:33', 'collections belongs to 33:33'],
      },
    ]);
  });

  test.skipIf(!isRoot && process.env.CI !== '1')(
    'that belong to whom they should, with what a file system makes',
    async () => {
      const { folder, volumes } = volume(1000);
      mkdirSync(join(folder, 'lost+found'));
      expect((await seeVolumes(topology, volumes, true, '/')).map(({ foreign }) => foreign)).toEqual([[]]);
    },
  );

  test('of another machine, or that cannot be seen, are not judged', async () => {
    const volumes = [{ Name: 'dev-qdrant-data', Mountpoint: '/nowhere' }] as never;
    expect(await seeVolumes(topology, volumes, false, '/')).toEqual([]);
    expect(await seeVolumes(topology, volumes, true, '/')).toMatchObject([{ foreign: [], disk: undefined }]);
  });
});
