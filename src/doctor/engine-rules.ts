import type { Evidence, SeenDisk, SeenStack } from './evidence.js';
import { type Finding, found } from './finding.js';

/** Oldest engine that the stack is tested with. */
const OLDEST_ENGINE = [20, 10] as const;

/** Room below which databases stop to write soon, as a share of the disk and in bytes; the smaller counts. */
const LITTLE = { share: 0.05, bytes: 5 * 1024 ** 3 };

/** Room below which nothing can be written any more; likewise. */
const NO_ROOM = { share: 0.02, bytes: 256 * 1024 ** 2 };

const MIB = 1024 ** 2;

/** What is wrong with the way to the engine. */
export function unreachableFindings({ environment, unreachable }: Evidence): readonly Finding[] {
  if (!unreachable) return [];
  const { evidence, meaning: why, remedy: how } = unreachable;
  return [found('engine-unreachable', { environment, evidence, values: { why, how } })];
}

/** What is wrong with the engine and its host. */
export function engineFindings(environment: string, seen: SeenStack): readonly Finding[] {
  const { engine, workloads, volumes, ports } = seen;
  return [
    ...tooOld(environment, engine.version),
    ...withoutNvidia(environment, engine.runtimes, workloads),
    ...(engine.disk ? littleRoom(environment, engine.disk) : []),
    ...volumes.flatMap(({ disk, service }) => (disk ? littleRoom(environment, disk, service) : [])),
    ...ports.map(({ port, service, holder, evidence, stop }) =>
      found('port-taken', { environment, service, evidence: [evidence], values: { port: String(port), holder, stop } }),
    ),
    ...poolsUsedUp(environment, engine.pools),
  ];
}

function tooOld(environment: string, version: string): readonly Finding[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldest, oldestMinor] = OLDEST_ENGINE;
  if (major > oldest || (major === oldest && minor >= oldestMinor)) return [];
  const values = { oldest: OLDEST_ENGINE.join('.') };
  return [found('engine-too-old', { environment, evidence: [`docker version: ${version}`], values })];
}

function withoutNvidia(
  environment: string,
  runtimes: readonly string[],
  workloads: SeenStack['workloads'],
): readonly Finding[] {
  if (runtimes.includes('nvidia')) return [];
  return workloads
    .filter(({ wantsNvidiaRuntime }) => wantsNvidiaRuntime)
    .map(({ id: service }) =>
      found('nvidia-runtime-missing', {
        environment,
        service,
        evidence: [`docker info: runtimes ${runtimes.join(', ')}`],
      }),
    );
}

function littleRoom(environment: string, disk: SeenDisk, service?: string): readonly Finding[] {
  const { name, freeBytes, totalBytes } = disk;
  const isBelow = ({ share, bytes }: typeof LITTLE) => freeBytes < Math.min(bytes, totalBytes * share);
  if (!isBelow(LITTLE)) return [];
  const evidence = [`df: ${inMiB(freeBytes)} of ${inMiB(totalBytes)} MiB are free on the file system of ${name}`];
  return [found(isBelow(NO_ROOM) ? 'disk-full' : 'disk-nearly-full', { environment, service, evidence })];
}

function poolsUsedUp(environment: string, { capacity, used }: SeenStack['engine']['pools']): readonly Finding[] {
  if (used < capacity) return [];
  const evidence = [`docker network ls: networks take ${used} of the ${capacity} subnets of the default address pools`];
  return [found('default-pools-used-up', { environment, evidence })];
}

const inMiB = (bytes: number): number => Math.floor(bytes / MIB);
