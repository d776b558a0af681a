import { stat, statfs } from 'node:fs/promises';
import type { NetworkInspectInfo } from 'dockerode';
import { overlaps, parseRange, type Range } from '../../config/subnets.js';
import { codeOf } from '../rag/failure.js';
import type { SeenDisk, SeenEngine } from './evidence.js';

/** The part of `docker info` that is read. */
export interface EngineInfo {
  readonly ServerVersion?: string;
  readonly SystemTime: string;
  readonly DockerRootDir?: string;
  readonly Runtimes?: Readonly<Record<string, unknown>>;
  readonly DefaultAddressPools?: readonly AddressPool[] | null;
}

/** Addresses from which networks without a subnet of their own are given one of `Size` bits. */
interface AddressPool {
  readonly Base: string;
  readonly Size: number;
}

/** What an engine has that says nothing else: 15 subnets of 16 bits and 16 of 20. */
const BUILT_IN: readonly AddressPool[] = [
  { Base: '172.17.0.0/16', Size: 16 },
  { Base: '172.18.0.0/16', Size: 16 },
  { Base: '172.19.0.0/16', Size: 16 },
  { Base: '172.20.0.0/14', Size: 16 },
  { Base: '172.24.0.0/14', Size: 16 },
  { Base: '172.28.0.0/14', Size: 16 },
  { Base: '192.168.0.0/16', Size: 20 },
];

/** What is seen of the engine itself. */
export async function seeEngine(
  info: EngineInfo,
  networks: readonly NetworkInspectInfo[],
  isLocal: boolean,
): Promise<SeenEngine> {
  return {
    version: info.ServerVersion ?? '',
    runtimes: Object.keys(info.Runtimes ?? {}).sort(),
    now: Date.parse(info.SystemTime),
    disk: isLocal && info.DockerRootDir !== undefined ? await roomAt(info.DockerRootDir) : undefined,
    pools: poolsOf(info.DefaultAddressPools ?? BUILT_IN, networks),
  };
}

/** Room of the file system under a folder of this machine; undefined where it is closed to us, or is not here. */
export async function roomAt(folder: string, name = folder): Promise<SeenDisk | undefined> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { name, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch (error) {
    if (isOutOfSight(error)) return undefined;
    throw error;
  }
}

/** Number of the file system under a folder; undefined where it is closed to us, or is not here. */
export async function fileSystemOf(folder: string): Promise<number | undefined> {
  try {
    return (await stat(folder)).dev;
  } catch (error) {
    if (isOutOfSight(error)) return undefined;
    throw error;
  }
}

/** The folder belongs to root, or the engine behind the socket is in a virtual machine. */
export const isOutOfSight = (error: unknown): boolean => ['EACCES', 'EPERM', 'ENOENT'].includes(codeOf(error));

function poolsOf(pools: readonly AddressPool[], networks: readonly NetworkInspectInfo[]): SeenEngine['pools'] {
  const taken = networks.flatMap(subnetsOf);
  let capacity = 0;
  let used = 0;
  for (const { Base, Size } of pools) {
    const { first: begin, last: end } = parseRange(Base);
    const size = 2 ** (32 - Size);
    for (let first = begin; first <= end; first += size) {
      capacity += 1;
      if (taken.some((range) => overlaps(range, { first, last: first + size - 1, prefix: Size }))) used += 1;
    }
  }
  return { capacity, used };
}

/** The IPv4 subnets of a network. */
export function subnetsOf({ IPAM }: NetworkInspectInfo): readonly Range[] {
  return (IPAM?.Config ?? []).flatMap(({ Subnet = '' }) => (/^[\d.]+\/\d+$/.test(Subnet) ? [parseRange(Subnet)] : []));
}
