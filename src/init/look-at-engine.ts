import type Docker from 'dockerode';
import { z } from 'zod';
import { RagdockError } from '../errors/problem.js';
import { type EngineOptions, reasonOf, withEngine } from '../operator/docker.js';

/** Long enough for a login by ssh; nobody waits longer for values that have defaults. */
const PATIENCE_MS = 15_000;

/** What a new environment wants to know of its engine. */
export interface EngineFacts {
  readonly version: string;
  readonly memoryMiB: number;
  /** GPUs that the engine can hand to containers, as its device names. */
  readonly gpuDevices: readonly string[];
  /** Whether containers could ask for the runtime of NVIDIA. */
  readonly nvidiaRuntime: boolean;
  /** Ranges of the networks that it has. */
  readonly networks: readonly { readonly name: string; readonly subnet: string }[];
  /** Ports of its host that containers have. */
  readonly ports: readonly { readonly port: number; readonly container: string }[];
}

/** Look at an engine without changing anything. One that cannot be reached, or refuses, is told with the reason. */
export async function lookAtEngine(
  address: string,
  options: Pick<EngineOptions, 'certPath' | 'signal'>,
): Promise<EngineFacts | { readonly unreachable: string }> {
  try {
    return await withEngine(address, { patienceMs: PATIENCE_MS, ...options }, factsOf);
  } catch (error) {
    if (!(error instanceof RagdockError)) throw error;
    return { unreachable: reasonOf(error.cause) };
  }
}

// A part of what `docker info` shows. Engines before 28 know no devices.
const Info = z.object({
  ServerVersion: z.string(),
  MemTotal: z.number(),
  Runtimes: z.record(z.string(), z.unknown()).catch({}),
  DiscoveredDevices: z.array(z.object({ ID: z.string() })).catch([]),
});

async function factsOf(docker: Docker): Promise<EngineFacts> {
  const info = Info.parse(await docker.info());
  const [networks, containers] = await Promise.all([docker.listNetworks(), docker.listContainers()]);
  return {
    version: info.ServerVersion,
    memoryMiB: Math.floor(info.MemTotal / 2 ** 20),
    gpuDevices: info.DiscoveredDevices.map(({ ID }) => ID).filter((id) => /\bgpu\b/.test(id)),
    nvidiaRuntime: 'nvidia' in info.Runtimes,
    networks: networks.flatMap(({ Name: name, IPAM }) =>
      // The engine says null where it has nothing.
      (IPAM?.Config ?? []).flatMap(({ Subnet: subnet }) => (isIpv4Range(subnet) ? [{ name, subnet }] : [])),
    ),
    ports: containers.flatMap(({ Names, Ports }) =>
      (Ports ?? []).flatMap(({ PublicPort: port }) =>
        port === undefined ? [] : [{ port, container: Names[0]?.replace(/^\//, '') ?? 'a container' }],
      ),
    ),
  };
}

const isIpv4Range = (subnet: string | undefined): subnet is string =>
  subnet !== undefined && z.cidrv4().safeParse(subnet).success;
