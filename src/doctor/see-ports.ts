import type { ContainerInfo } from 'dockerode';
import type { Topology } from '../../constructs/engines/docker/index.js';
import { Service } from '../../constructs/model/index.js';
import type { SeenPort } from './evidence.js';
import { type Listener, listenersOn } from './listening.js';

const EVERY_ADDRESS: readonly (string | undefined)[] = ['0.0.0.0', '::', undefined, ''];

/**
 * Ports that the environment publishes and somebody else has: a container, or a process of this machine.
 *
 * @param isLocal whether the engine publishes ports on this machine
 */
export async function seePorts(
  topology: Topology,
  containers: readonly ContainerInfo[],
  isLocal: boolean,
  listeners: (ports: ReadonlySet<number>) => Promise<readonly Listener[]> = listenersOn,
): Promise<readonly SeenPort[]> {
  const wanted = topology.workloads
    .filter(Service.isService)
    .flatMap((service) =>
      service.published.map(({ port, address }) => ({
        port,
        address,
        service: service.node.id,
        container: topology.containerName(service),
      })),
    )
    // What our own container has, nobody else has.
    .filter(({ port, container }) => !containers.some((it) => isNamed(it, container) && publishes(it, port)));
  const byContainer = wanted.flatMap(({ port, address, service }): SeenPort[] => {
    const holder = containers.find((it) => publishes(it, port, address));
    if (!holder) return [];
    const name = nameOf(holder);
    return [
      {
        port,
        service,
        holder: `the container ${name}`,
        evidence: `docker ps: ${name} publishes ${port}`,
        stop: `docker stop ${name}`,
      },
    ];
  });
  const open = wanted.filter(({ port }) => !byContainer.some((taken) => taken.port === port));
  if (!isLocal || open.length === 0) return byContainer;
  const found = await listeners(new Set(open.map(({ port }) => port)));
  return [
    ...byContainer,
    ...open.flatMap(({ port, address, service }): SeenPort[] => {
      const holder = found.find((it) => it.port === port && meet(it.address, address));
      if (!holder) return [];
      const { line, uid, process } = holder;
      return [
        {
          port,
          service,
          holder: process ? `the process ${process.name} (${process.pid})` : `a process of the user ${uid}`,
          evidence: line,
          stop: process ? `kill ${process.pid}` : `sudo ss -ltnp sport = :${port}`,
        },
      ];
    }),
  ];
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
