import { ExternalServer } from './external-server.js';
import { Service } from './service.js';
import type { Workload } from './workload.js';

/** One thing that a workload is allowed and others are not. */
export interface HardeningException {
  /** Id of the workload: `node-exporter`. */
  readonly workload: string;
  /** `uid 0`, `writable root`, `capability CHOWN`, `host folder /`, `way out`, `port 0.0.0.0:5432`, and so on. */
  readonly what: string;
  /** Why it needs it. */
  readonly reason: string;
}

/** The address of the host that other machines do not reach. */
const LOOPBACK = '127.0.0.1';

/** Everything in which workloads differ from `HARDENED`, in the order of the workloads; a closed one has nothing. */
export function exceptionsOf(workloads: readonly Workload[]): readonly HardeningException[] {
  return workloads.flatMap((workload) =>
    [...relaxations(workload), ...sights(workload), ...ways(workload)].map(([what, reason]) => ({
      workload: workload.node.id,
      what,
      reason,
    })),
  );
}

type Found = readonly (readonly [what: string, reason: string])[];

function relaxations({ hardening, relaxReason = '' }: Workload): Found {
  const given = [
    ...(hardening.root ? ['uid 0'] : []),
    ...(hardening.readOnlyRoot ? [] : ['writable root']),
    ...(hardening.noNewPrivileges ? [] : ['new privileges']),
    ...hardening.capabilities.map((name) => `capability ${name}`),
    ...(hardening.hostNetwork ? ['host network'] : []),
    ...(hardening.hostPid ? ['host processes'] : []),
    ...(hardening.hostIpc ? ['host shared memory'] : []),
  ];
  return given.map((what) => [what, relaxReason]);
}

/** What of the host it sees. */
function sights({ hostMounts, gpus }: Workload): Found {
  return [
    ...hostMounts.map(({ hostPath, reason }) => [`host folder ${hostPath}`, reason] as const),
    ...(gpus ? [['graphics cards', 'computes on them, or measures them'] as const] : []),
  ];
}

/** Where it gets to, and from where it is reached, beyond the networks of its pairs. */
function ways(workload: Workload): Found {
  const outside = new Set(workload.connections.map(({ owner }) => owner).filter(ExternalServer.isExternalServer));
  const published = Service.isService(workload) ? workload.published : [];
  return [
    ...(workload.egress ? [['way out', workload.egress.reason] as const] : []),
    ...[...outside].map(({ node }) => ['way out', `asks ${node.id}, which is outside of the stack`] as const),
    ...published
      .filter(({ address }) => address !== LOOPBACK)
      .map(({ address, port, acknowledge = '' }) => [`port ${address}:${port}`, acknowledge] as const),
  ];
}
