import type { ContainerInfo } from 'dockerode';
import type { Topology } from '../../constructs/engines/docker/index.js';
import { Service } from '../../constructs/model/index.js';
import type { SeenPort } from './evidence.js';
import { type Listener, listenersOn } from './listening.js';

const EVERY_ADDRESS: readonly (string | undefined)[] = ['0.0.0.0', '::', undefined, ''];

/** What holds ports for containers: to end it is to end what it works for, or every container of an engine. */
const OF_AN_ENGINE = new Set(['docker-proxy', 'dockerd', 'rootlesskit', 'rootlessport']);

/** A port that a service publishes. */
interface WantedPort {
  readonly port: number;
  /** Of the host. */
  readonly address: string;
  readonly service: string;
  readonly container: string;
}

/** Where {@link seePorts} looks. */
export interface PortLook {
  /** All containers of the engine, as they were listed at the start. */
  readonly containers: readonly ContainerInfo[];
  /** Lists them again. */
  readonly listAgain: () => Promise<readonly ContainerInfo[]>;
  /** Whether the engine publishes ports on this machine. */
  readonly isLocal: boolean;
  /** Who listens on ports of this machine. @default - as its kernel tells */
  readonly listeners?: (ports: ReadonlySet<number>) => Promise<readonly Listener[]>;
}

/** Ports that the environment publishes and somebody else has: a container, or a process of this machine. */
export async function seePorts(
  topology: Topology,
  { containers, listAgain, isLocal, listeners = listenersOn }: PortLook,
): Promise<readonly SeenPort[]> {
  const suspects = notOurs(wantedPorts(topology), containers);
  if (suspects.length === 0) return [];
  const found = isLocal ? await listeners(new Set(suspects.map(({ port }) => port))) : [];
  // One that was just started again had no port in the first list, and has a listener now.
  const now = await listAgain();
  return notOurs(suspects, now).flatMap((wanted) => {
    const holder = heldByContainer(wanted, now) ?? heldByProcess(wanted, now, found);
    return holder ? [{ port: wanted.port, service: wanted.service, ...holder }] : [];
  });
}

const wantedPorts = (topology: Topology): readonly WantedPort[] =>
  topology.workloads.filter(Service.isService).flatMap((service) =>
    service.published.map(({ port, address }) => ({
      port,
      address,
      service: service.node.id,
      container: topology.containerName(service),
    })),
  );

/** What our own container has, nobody else has. */
const notOurs = (wanted: readonly WantedPort[], containers: readonly ContainerInfo[]): readonly WantedPort[] =>
  wanted.filter(({ port, container }) => !containers.some((it) => isNamed(it, container) && publishes(it, port)));

type Holder = Omit<SeenPort, 'port' | 'service'>;

function heldByContainer({ port, address }: WantedPort, containers: readonly ContainerInfo[]): Holder | undefined {
  const holder = containers.find((it) => publishes(it, port, address));
  if (!holder) return undefined;
  const name = nameOf(holder);
  return {
    holder: `the container ${name}`,
    evidence: `docker ps: ${name} publishes ${port}`,
    stop: `docker stop ${name}`,
  };
}

function heldByProcess(
  { port, address, container }: WantedPort,
  containers: readonly ContainerInfo[],
  listeners: readonly Listener[],
): Holder | undefined {
  const listener = listeners.find((it) => it.port === port && meet(it.address, address));
  if (!listener) return undefined;
  const { line: evidence, uid, process } = listener;
  const isAnEngines = process !== undefined && OF_AN_ENGINE.has(process.name);
  // Our own container has not got it back yet, and whom we may not look at may hold it for that container.
  const isRestarting = containers.some((it) => isNamed(it, container) && it.State === 'restarting');
  if (isRestarting && (isAnEngines || !process)) return undefined;
  if (!process) {
    return { holder: `a process of the user ${uid}`, evidence, stop: `sudo ss -ltnp sport = :${port}` };
  }
  const { name, pid } = process;
  if (!isAnEngines) return { holder: `the process ${name} (${pid})`, evidence, stop: `kill ${pid}` };
  const holder = `${name} (${pid}), by which an engine publishes ports of containers,`;
  return { holder, evidence, stop: `docker ps --filter publish=${port}` };
}

const nameOf = ({ Names: [name = ''] }: ContainerInfo): string => name.replace(/^\//, '');

const isNamed = (container: ContainerInfo, name: string): boolean => nameOf(container) === name;

/** @param address of the host; without it every one counts */
function publishes({ Ports }: ContainerInfo, port: number, address?: string): boolean {
  return (Ports ?? []).some(
    ({ PublicPort, IP }) => PublicPort === port && (address === undefined || meet(IP, address)),
  );
}

/** Whether two programs cannot both listen on one port of these addresses. */
const meet = (one: string | undefined, other: string | undefined): boolean =>
  one === other || EVERY_ADDRESS.includes(one) || EVERY_ADDRESS.includes(other);
