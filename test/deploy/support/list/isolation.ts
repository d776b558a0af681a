import { createServer, type Server } from 'node:net';
import type { ContainerInspectInfo } from 'dockerode';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadEnvironment } from '../../../../config/load.js';
import type { DockerNetwork } from '../../../../constructs/engines/docker/index.js';
import { Job, leadsOut, Service, type Workload } from '../../../../constructs/model/index.js';
import { fences, readPage } from '../../../docs/support/markdown.js';
import { ProcessView } from '../container-view.js';
import type { Deployment } from '../deployment.js';
import { topologyOf } from '../described.js';
import { Outside } from '../isolation/outside.js';
import { type Origin, type Outcome, probe, reached, type Target } from '../isolation/probe.js';
import { succeed } from '../project.js';
import { asLongAsItRuns } from '../stand-in-job.js';

/** From this version on the engine hides the host from closed networks, and what is published on loopback from other machines. */
const HIDES_THE_HOST = 28;

/** A service that runs, and what can be tried of it. */
interface Running {
  readonly service: Service;
  readonly container: ContainerInspectInfo;
  readonly origin: Origin;
  /** Its addresses by the name of the network; none for one on the host's network. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly listening: readonly number[];
}

/**
 * Who reaches whom: every container tries every other one, the host and the world, and each probe that fails has a twin
 * that reaches the same place from where it may. The engine has to be of this machine.
 */
export function isolated(deployment: Deployment): void {
  const { name, engine, project } = deployment;

  describe(`of ${name}, between its containers and beyond:`, () => {
    const topology = topologyOf(deployment);
    const outside = new Outside();
    const jobsWithAWayOut = topology.workloads.filter(Job.isJob).filter(leadsOut);
    let stack: readonly Running[] = [];
    let members: readonly Running[] = [];
    let listener: Server;
    let port = 0;
    let modern = false;

    beforeAll(async () => {
      await engine.allHealthy();
      const { Version } = await engine.docker.version();
      const [major = 0] = Version.split('.').map(Number.parseFloat);
      // Versions between releases are called after the branch; the newest there is counts as new.
      modern = Number.isNaN(major) || major >= HIDES_THE_HOST || major < 17;
      stack = await Promise.all(topology.workloads.filter(Service.isService).map(lookAt));
      members = stack.filter(({ service }) => !service.hardening.hostNetwork);
      listener = createServer((socket) => socket.end()).listen(0, '0.0.0.0');
      await new Promise((resolve) => listener.once('listening', resolve));
      port = (listener.address() as { port: number }).port;
      await outside.start();
    });

    afterAll(async () => {
      listener?.close();
      await outside.stop();
    });

    async function lookAt(service: Service): Promise<Running> {
      const container = await engine.docker.getContainer(topology.containerName(service)).inspect();
      const pid = container.State.Pid;
      const hosted = service.hardening.hostNetwork;
      const networks = Object.entries(container.NetworkSettings.Networks);
      return {
        service,
        container,
        origin: { pid },
        addresses: hosted ? new Map() : new Map(networks.map(([network, { IPAddress }]) => [network, IPAddress])),
        listening: hosted ? [] : new ProcessView(pid).listening,
      };
    }

    /** Every port of a service at each of its addresses. */
    const placesOf = ({ service, addresses, listening }: Running): readonly (Target & { readonly network: string })[] =>
      [...addresses].flatMap(([network, host]) =>
        [...new Set([...listening, ...service.endpoints.map((endpoint) => endpoint.port)])].map((number) => ({
          id: `${service.node.id} at ${host}:${number}`,
          host,
          port: number,
          network,
        })),
      );

    const gatewaysOf = ({ service }: Running): readonly { readonly gateway: string; readonly kind: string }[] =>
      topology.networksOf(service).map(({ gateway, kind, members: both }) => ({
        gateway,
        // Where a server listens on the host, its client has to get there.
        kind: both.some((member) => member.hardening.hostNetwork) ? 'hosted' : kind,
      }));

    const hostAddress = (running: Running): readonly string[] => [
      ...gatewaysOf(running).map(({ gateway }) => gateway),
      outside.host,
    ];

    /** Whether packets of a container get to an address of the host. */
    const mayReachHost = (running: Running, host: string): boolean => {
      if (!modern) return true;
      const open = gatewaysOf(running).filter(({ kind }) => kind !== 'pair');
      return host === outside.host
        ? open.some(({ kind }) => kind !== 'hosted')
        : open.some(({ gateway }) => gateway === host);
    };

    /** What of `targets` each origin reaches, by the origin's name. */
    async function whoReaches(
      origins: readonly Running[],
      targetsOf: (running: Running) => readonly Target[],
      expected: (running: Running, target: Target) => boolean,
    ): Promise<{ readonly wrong: readonly string[]; readonly right: number }> {
      const all = await Promise.all(
        origins.map(async (running) => {
          const targets = targetsOf(running);
          const outcomes = await probe(running.origin, targets, (target) => expected(running, target));
          return targets.map((target): [said: string, ok: boolean] => {
            const outcome = outcomes.get(target.id);
            const wanted = expected(running, target);
            const said = `${running.service.node.id} → ${target.id}: ${outcome}, expected ${wanted ? '' : 'not '}to be reached`;
            return [said, reached(outcome) === wanted];
          });
        }),
      );
      const flat = all.flat();
      return { wrong: flat.filter(([, ok]) => !ok).map(([said]) => said), right: flat.filter(([, ok]) => ok).length };
    }

    test('nothing listens but what the model knows', () => {
      for (const { service, listening } of members) {
        const known = service.endpoints.map((endpoint) => endpoint.port);
        expect(listening.length, service.node.id).toBeGreaterThan(0);
        expect(
          listening.filter((number) => !known.includes(number)),
          service.node.id,
        ).toEqual([]);
      }
    });

    test('no container has an address of IPv6', () => {
      for (const { service, container } of members) {
        expect(new ProcessView(container.State.Pid).addressesOfIpv6, service.node.id).toEqual([]);
        for (const { GlobalIPv6Address, IPv6Gateway } of Object.values(container.NetworkSettings.Networks)) {
          expect([GlobalIPv6Address, IPv6Gateway], service.node.id).toEqual(['', '']);
        }
      }
    });

    test('every container reaches whom it is connected to, on the network of the two, and nobody else', async () => {
      // Each place answers in its own container: whoever does not reach it now was kept from it.
      for (const running of members) {
        const places = placesOf(running).filter((place) => running.listening.includes(place.port));
        const own = await probe(running.origin, places, () => true);
        expect(
          [...own].filter(([, outcome]) => outcome !== 'open'),
          running.service.node.id,
        ).toEqual([]);
      }
      const networkOf = new Map(members.flatMap((other) => placesOf(other).map(({ id, network }) => [id, network])));
      const ownerOf = new Map(members.flatMap((other) => placesOf(other).map(({ id }) => [id, other.service])));

      const { wrong, right } = await whoReaches(
        members,
        (running) => members.filter((other) => other !== running).flatMap(placesOf),
        ({ service, addresses }, { id }) => {
          const other = ownerOf.get(id);
          return other !== undefined && connected(service, other) && addresses.has(networkOf.get(id) ?? '');
        },
      );

      expect(wrong).toEqual([]);
      expect(right).toBeGreaterThan(members.length);
    });

    test('the host: what the engine’s version leaves open, and no port that is published on it', async () => {
      const ownListener = (host: string): Target => ({ id: `the host at ${host}:${port}`, host, port });
      // The twin: the host itself reaches its listener, and so does a machine outside.
      expect(reached((await probe('here', [ownListener('127.0.0.1')])).get(`the host at 127.0.0.1:${port}`))).toBe(
        true,
      );
      const seen = await probe(outside.origin, [ownListener(outside.host)], () => true);
      expect([...seen.values()]).toEqual(['open']);

      const listeners = await whoReaches(
        members,
        (running) => hostAddress(running).map(ownListener),
        (running, { host }) => mayReachHost(running, host),
      );
      expect(listeners.wrong).toEqual([]);

      const published = [
        ...stack.flatMap(({ service }) => service.published.map((it) => it.port)),
        ...[2375, 2376].filter((number) => !String(process.env.DOCKER_HOST ?? '').endsWith(`:${number}`)),
      ];
      const local = await probe(
        'here',
        published.map((number) => ({ id: String(number), host: '127.0.0.1', port: number })),
        ({ port: number }) => number !== 2375 && number !== 2376,
      );
      for (const [id, outcome] of local) {
        // The engine listens on no port at all.
        expect([id, outcome]).toEqual([id, ['2375', '2376'].includes(id) ? 'ECONNREFUSED' : 'open']);
      }
      for (const running of members) {
        const targets = hostAddress(running).flatMap((host) =>
          published.map((number) => ({ id: `${host}:${number}`, host, port: number })),
        );
        const outcomes = await probe(running.origin, targets);
        expect(
          [...outcomes].filter(([, outcome]) => outcome === 'open'),
          running.service.node.id,
        ).toEqual([]);
      }
    });

    test('a service on the host’s network is reached by its client, and by whoever reaches the host', async () => {
      const hosted = stack.filter(({ service }) => service.hardening.hostNetwork);
      for (const { service } of hosted) {
        const [network] = topology.networksTo(service);
        const place = { id: service.node.id, host: network?.gateway ?? '', port: service.endpoints[0]?.port ?? 0 };
        const { wrong } = await whoReaches(
          members,
          () => [place],
          (running) => connected(running.service, service) || mayReachHost(running, outside.host),
        );
        expect(wrong).toEqual([]);
      }
    });

    test('outside: only a job that downloads gets there, and only while it runs', async () => {
      // The twin: this host gets to everything, and so does the job with its way out.
      expect([...(await probe('here', outside.targets, () => true)).values()]).toEqual(
        outside.targets.map(() => 'open'),
      );
      expect(jobsWithAWayOut.length).toBeGreaterThan(0);
      let names: Outcome | undefined;
      for (const job of jobsWithAWayOut) {
        const ended = await engine.docker.getContainer(topology.containerName(job)).inspect();
        await asLongAsItRuns(engine.docker, ended, async ({ State }) => {
          const found = await probe({ pid: State.Pid }, [...outside.targets, RESOLVER], () => true);
          for (const { id } of outside.targets)
            expect([job.node.id, id, found.get(id)]).toEqual([job.node.id, id, 'open']);
          names = found.get(RESOLVER.id);
        });
        for (const { name: network, kind } of topology.networksOf(job)) {
          if (kind !== 'egress') continue;
          const { Containers } = await engine.docker.getNetwork(network).inspect();
          expect([network, Object.keys(Containers ?? {})]).toEqual([network, []]);
        }
      }

      const { wrong } = await whoReaches(
        members,
        // Where the engine itself knows no name server that answers, there is nothing that a name could leak to.
        () => [...outside.targets, ...(names === 'open' ? [RESOLVER] : [])],
        ({ service }) => leadsOut(service),
      );
      expect(wrong).toEqual([]);
      for (const { service, container } of members) {
        expect([service.node.id, container.HostConfig.Dns]).toEqual([
          service.node.id,
          leadsOut(service) ? [] : ['127.0.0.1'],
        ]);
      }
    });

    test('a machine of the host’s segment that knows the way to the networks: what it reaches, and the rules that close it', async () => {
      const pool = loadEnvironment(name, { cwd: project.folder }).settings.host.networkPool;
      await outside.knowTheWayTo(pool);
      const published = (service: Service) => service.published.map(({ endpoint }) => endpoint.port);

      // Nobody but who publishes a port gets out to it, since closed networks do not even let packets go; and newer
      // engines drop what comes back to the address of a container.
      const out = () =>
        whoReaches(
          members,
          () => outside.targets.slice(0, 1),
          ({ service }) => leadsOut(service) || (!modern && published(service).length > 0),
        );
      expect((await out()).wrong).toEqual([]);

      // It gets in to published ports alone, and newer engines do not let it there either.
      const places = members.flatMap((running) =>
        placesOf(running).map((place) => ({
          ...place,
          open:
            !modern &&
            published(running.service).includes(place.port) &&
            place.network === `${name}-${running.service.node.id}--published`,
        })),
      );
      const openPlaces = new Set(places.filter(({ open }) => open).map(({ id }) => id));
      const inwards = async () => {
        const outcomes = await probe(outside.origin, places, ({ id }) => openPlaces.has(id));
        return places.filter(({ id }) => reached(outcomes.get(id))).map(({ id }) => id);
      };
      expect(await inwards()).toEqual([...openPlaces]);

      // The rules of docs/security.md close both.
      const rules = rulesOfThePage(
        pool,
        topology.networks.filter(({ kind }) => kind === 'published'),
      );
      for (const rule of rules) await succeed('iptables', rule);
      try {
        const closed = await whoReaches(
          members,
          () => outside.targets.slice(0, 1),
          ({ service }) => leadsOut(service),
        );
        expect(closed.wrong).toEqual([]);
        expect(await inwards()).toEqual([]);
        // What has to work goes on to work.
        await engine.allHealthy();
        for (const { service } of stack) {
          for (const { port: number } of service.published) {
            const outcomes = await probe('here', [{ id: 'published', host: '127.0.0.1', port: number }], () => true);
            expect([service.node.id, outcomes.get('published')]).toEqual([service.node.id, 'open']);
          }
        }
      } finally {
        for (const rule of rules)
          await succeed(
            'iptables',
            rule.map((word) => (word === '-I' ? '-D' : word)),
          );
      }
      expect((await out()).wrong).toEqual([]);
    });
  });
}

/**
 * The rules that docs/security.md gives for dev, for another range and other networks with a published port, as
 * arguments of iptables.
 */
function rulesOfThePage(pool: string, published: readonly DockerNetwork[]): readonly (readonly string[])[] {
  const lines = fences(readPage('docs/security.md'), 'sh').flatMap((text) => text.split('\n'));
  const rules = lines.filter((line) => line.startsWith('iptables ')).map((line) => line.split(' ').slice(1));
  expect(rules.map((rule) => rule.filter((word) => word.includes('/')))).toEqual([
    ['10.231.0.0/20'],
    ['10.231.0.80/29'],
  ]);
  const [inwards = [], outwards = []] = rules;
  const withRange = (rule: readonly string[], range: string) => rule.map((word) => (word.includes('/') ? range : word));
  return [withRange(inwards, pool), ...published.map(({ subnet }) => withRange(outwards, subnet))];
}

/** What a container's own resolver says of a name outside of the stack. */
const RESOLVER: Target = {
  id: 'the name of a server outside',
  kind: 'dns',
  host: '127.0.0.11',
  port: 53,
  name: 'deb.debian.org',
};

/** Whether one of the two was connected to the other: their network is open both ways. */
function connected(one: Workload, other: Workload): boolean {
  return one.connections.some(({ owner }) => owner === other) || other.connections.some(({ owner }) => owner === one);
}
