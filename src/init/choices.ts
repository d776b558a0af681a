import { memory } from '../../config/fields.js';
import { portClaims } from '../../config/rules/network.js';
import type { Settings } from '../../config/schema.js';
import { servicesOf } from '../../config/services.js';
import { type Choice, freePool, freePort, type Taken } from './free.js';
import { type MemoryPlan, memoryOf, planMemory } from './memory-plan.js';
import type { Survey } from './survey.js';

/** What a new environment needs that other environments and programs of the host do not have. */
export interface Choices {
  readonly pool: Choice<string>;
  readonly port: Choice<number>;
  /** @default - nobody knows how much memory there is */
  readonly memory?: MemoryPlan;
}

/**
 * Choose what is free on a host.
 *
 * @param defaults the settings that the environment has as long as nothing is chosen
 * @param portInUse whether a program that is no container listens on a port of the host
 */
export async function choose(
  { found, neighbours }: Survey,
  defaults: Settings,
  portInUse: (port: number) => Promise<boolean>,
): Promise<Choices> {
  const facts = 'unreachable' in found ? undefined : found;
  const pools: Taken<string>[] = [
    ...neighbours.map(({ name, settings }) => ({ what: settings.host.networkPool, by: `the environment ${name}` })),
    ...(facts?.networks ?? []).map(({ name, subnet }) => ({ what: subnet, by: `the network ${name}` })),
  ];
  const ports: Taken<number>[] = [
    ...neighbours.flatMap(({ name, settings }) =>
      portClaims(servicesOf(settings, name)).map(({ port }) => ({
        what: port,
        by: `the environment ${name}`,
      })),
    ),
    ...(facts?.ports ?? []).map(({ port, container }) => ({ what: port, by: `the container ${container}` })),
  ];
  const others = neighbours.reduce((sum, { settings }) => sum + memoryOf(settings), 0);
  return {
    pool: freePool(defaults.host.networkPool, pools),
    port: await freePort(defaults.services.webBot.publish.port, ports, portInUse),
    ...(facts && { memory: planMemory(defaults, facts.memoryMiB, others) }),
  };
}

/** An amount of memory for people: `3.8 GiB`, `512 MiB`. */
export const showMemory = (mebibytes: number): string =>
  mebibytes < 1024 ? `${mebibytes} MiB` : `${(Math.floor(mebibytes / 102.4) / 10).toFixed(1)} GiB`;

/** An amount of memory as the YAML writes it: `512MiB`. */
export const writeMemory = (mebibytes: number): string => memory.encode(mebibytes);
