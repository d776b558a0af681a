import type { Drift, StatusReport } from '../status/report.js';
import type { Evidence, SeenStack, SeenState } from './evidence.js';
import { type Finding, found } from './finding.js';

/** Where the lock file does not fit the environment file. */
export function lockFindings({ environment, lock }: Evidence): readonly Finding[] {
  const of = (isOfKind: (code: string) => boolean) => lock.filter(({ code }) => isOfKind(code));
  const stale = of((code) => code === 'LOCK_STALE' || code === 'LOCK_MISSING');
  return [
    ...(stale.length > 0 ? [found('lock-stale', { environment, evidence: stale.map(({ message }) => message) })] : []),
    ...of((code) => code === 'LOCK_PROMISE_BROKEN').map(({ message, remedy: how }) =>
      found('lock-promise-broken', { environment, evidence: [message], values: { how } }),
    ),
    ...of((code) => code === 'NETWORK_POOL_EXHAUSTED').map(({ message }) =>
      found('network-pool-exhausted', { environment, evidence: [message] }),
    ),
  ];
}

/** Where the engine has something else than the environment's files say. */
export function stackFindings(environment: string, address: string, seen: SeenStack): readonly Finding[] {
  const { status, workloads, networks, volumes, sessions, state } = seen;
  const left = [...leftOver(environment, status), ...sessionsLeft(environment, sessions)];
  if (status.services.every(({ image }) => image === undefined)) {
    const evidence = status.services.map(({ container }) => `docker ps -a: no ${container}`);
    return [
      found('not-deployed', { environment, evidence, values: { address } }),
      ...addresses(environment, networks),
      ...left,
    ];
  }
  return [
    ...lostVolumes(environment, status),
    ...volumes
      .filter(({ foreign }) => foreign.length > 0)
      .map(({ name, service, wantedOwner, foreign }) =>
        found('volume-not-writable', {
          environment,
          service,
          evidence: foreign.map((entry) => `ls -ln ${name}: ${entry}, and not ${wantedOwner}`),
          values: { ownership: ownershipJobOf(status, service) },
        }),
      ),
    ...lostNetworks(environment, networks),
    ...addresses(environment, networks),
    ...(state ? differences(environment, state) : []),
    ...drifted(environment, seen),
    ...prunedFiles(environment, workloads),
    ...left,
  ];
}

function lostVolumes(environment: string, { volumes }: StatusReport): readonly Finding[] {
  return volumes
    .filter(({ present }) => !present)
    .map(({ name, kind, usedBy: [service] }) =>
      found(kind === 'data' ? 'data-volume-missing' : 'files-volume-missing', {
        environment,
        service,
        evidence: [`docker volume ls: no ${name}`],
      }),
    );
}

function lostNetworks(environment: string, networks: SeenStack['networks']): readonly Finding[] {
  const lost = networks.filter(({ takenBy }) => !takenBy).map(({ name }) => `docker network ls: no ${name}`);
  return lost.length === 0 ? [] : [found('networks-missing', { environment, evidence: lost })];
}

function addresses(environment: string, networks: SeenStack['networks']): readonly Finding[] {
  return networks.flatMap(({ name, subnet, takenBy }) =>
    takenBy
      ? [
          found('network-addresses-taken', {
            environment,
            evidence: [`docker network inspect ${takenBy.name}: ${takenBy.subnet}; ${name} is promised ${subnet}`],
            values: { other: takenBy.name },
          }),
        ]
      : [],
  );
}

function differences(environment: string, { file, damage, differing, tainted }: SeenState): readonly Finding[] {
  if (damage !== undefined) {
    return [found('state-damaged', { environment, evidence: [`${file}: ${damage}`], values: { file } })];
  }
  const short = (id: string | undefined): string => (id === undefined ? 'nothing' : id.slice(0, 12));
  return [
    ...(differing.length > 0
      ? [
          found('state-differs', {
            environment,
            evidence: differing.map(
              (it) => `${it.container}: ${file} has ${short(it.state)}, docker ps -a has ${short(it.engine)}`,
            ),
            values: { containers: differing.map(({ container }) => container).join(' ') },
          }),
        ]
      : []),
    ...(tainted.length > 0
      ? [
          found('deploy-interrupted', {
            environment,
            evidence: tainted.map((container) => `${file}: ${container} is tainted`),
          }),
        ]
      : []),
  ];
}

function drifted(environment: string, { status, workloads }: SeenStack): readonly Finding[] {
  return [...status.services, ...status.jobs].flatMap(({ name: service, drift }) => {
    const restart = workloads.find(({ id }) => id === service)?.restart;
    const evidence = [
      ...drift.map(differenceOf),
      ...(restart ? [`restart policy: runs ${restart.runs}, wanted ${restart.wanted}`] : []),
    ];
    return evidence.length > 0 ? [found('drifted', { environment, service, evidence })] : [];
  });
}

function prunedFiles(environment: string, workloads: SeenStack['workloads']): readonly Finding[] {
  const pruned = workloads.flatMap(({ filesContainer, filesContainerPresent }) =>
    filesContainer === undefined || filesContainerPresent ? [] : [`docker ps -a: no ${filesContainer}`],
  );
  return pruned.length > 0 ? [found('files-pruned', { environment, evidence: pruned })] : [];
}

function leftOver(environment: string, { leftOver: containers }: StatusReport): readonly Finding[] {
  if (containers.length === 0) return [];
  return [
    found('left-over', {
      environment,
      evidence: containers.map(({ container, state }) => `docker ps -a: ${container}, ${state}`),
      values: { containers: containers.map(({ container }) => container).join(' ') },
    }),
  ];
}

function sessionsLeft(environment: string, sessions: readonly string[]): readonly Finding[] {
  if (sessions.length === 0) return [];
  return [
    found('session-left-over', {
      environment,
      evidence: sessions.map((container) => `docker ps -a: ${container}, past its deadline`),
      values: { containers: sessions.join(' ') },
    }),
  ];
}

/** Container of the job that gives a service its volumes; the job has the service's id in its own. */
const ownershipJobOf = ({ jobs }: StatusReport, service: string): string =>
  jobs.find(({ name }) => name === `${service}-ownership`)?.container ?? `${service}-ownership`;

const differenceOf = ({ what, runs, wanted }: Drift): string =>
  runs === undefined && wanted === undefined
    ? `${what}: differs from what a deploy would make`
    : `${what}: runs ${runs ?? '?'}, wanted ${wanted ?? '?'}`;
