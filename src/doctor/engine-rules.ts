import type { Evidence } from './evidence.js';
import type { Finding } from './finding.js';

/** Oldest engine that the stack is tested with. */
const OLDEST_ENGINE = [20, 10] as const;

/** Room below which databases stop to write soon, as a share of the disk and in bytes; the smaller counts. */
const LITTLE_SHARE = 0.05;
const LITTLE_BYTES = 5 * 1024 ** 3;

/** Room below which nothing can be written any more, in bytes. */
const NO_ROOM_BYTES = 256 * 1024 ** 2;

/** What is wrong with the engine and its host. */
export function engineFindings({ environment, engine, workloads }: Evidence): readonly Finding[] {
  return [
    ...tooOld(engine.version),
    ...withoutNvidia(engine.runtimes, workloads),
    ...littleRoom(engine.disk),
    ...[...engine.portsTaken].map(
      ([port, holder]): Finding => ({
        id: 'port-taken',
        severity: 'broken',
        evidence: [`docker ps: ${holder} publishes ${port}`],
        meaning: `The environment publishes port ${port} of the host, which the container ${holder} has.`,
        remedy: `docker stop ${holder}, or another publish.port in the environment file and npx cdktf deploy ${environment}`,
        rank: 5,
      }),
    ),
  ];
}

function tooOld(version: string): readonly Finding[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldest, oldestMinor] = OLDEST_ENGINE;
  if (major > oldest || (major === oldest && minor >= oldestMinor)) return [];
  return [
    {
      id: 'engine-too-old',
      severity: 'broken',
      evidence: [`docker version: ${version}`],
      meaning: `Engines before ${OLDEST_ENGINE.join('.')} lack what the stack is made of.`,
      remedy: 'Install a newer Docker engine on the host.',
      rank: 0,
    },
  ];
}

function withoutNvidia(runtimes: readonly string[], workloads: Evidence['workloads']): readonly Finding[] {
  if (runtimes.includes('nvidia')) return [];
  return workloads
    .filter(({ wantsNvidiaRuntime }) => wantsNvidiaRuntime)
    .map(({ id }) => ({
      id: 'nvidia-runtime-missing',
      severity: 'broken',
      service: id,
      evidence: [`docker info: runtimes ${runtimes.join(', ')}`],
      meaning: 'It asks for graphics cards by the runtime nvidia, which this engine does not have.',
      remedy:
        'Install nvidia-container-toolkit, run nvidia-ctk runtime configure --runtime=docker, and restart the engine',
      rank: 0,
    }));
}

function littleRoom(disk: Evidence['engine']['disk']): readonly Finding[] {
  if (!disk || disk.freeBytes >= Math.min(LITTLE_BYTES, disk.totalBytes * LITTLE_SHARE)) return [];
  const full = disk.freeBytes < NO_ROOM_BYTES;
  return [
    {
      id: full ? 'disk-full' : 'disk-nearly-full',
      severity: full ? 'broken' : 'risk',
      evidence: [`${mib(disk.freeBytes)} MiB of ${mib(disk.totalBytes)} MiB are free where the engine keeps its data`],
      meaning: full
        ? 'Databases can write nothing any more. Probes of Qdrant stay green meanwhile.'
        : 'Databases stop to write when the rest is used up.',
      remedy: 'docker system df shows what takes the room; docker image prune gives back images that nobody uses',
      rank: full ? 0 : 5,
    },
  ];
}

const mib = (bytes: number): number => Math.round(bytes / 1024 ** 2);
