import type { Drift } from '../status/report.js';
import type { Evidence } from './evidence.js';
import type { Finding } from './finding.js';

/** Where the engine has something else than the environment's files say. */
export function stackFindings({ environment, status, workloads }: Evidence): readonly Finding[] {
  const deploy = `npx cdktf deploy ${environment}`;
  const drifted = [...status.services, ...status.jobs].filter(({ drift }) => drift.length > 0);
  const lost = workloads.filter(({ lostFiles }) => lostFiles.length > 0);
  const volumes = status.volumes.filter(({ present, kind }) => !present && kind === 'data');
  const networks = status.networks.filter(({ present }) => !present);
  return [
    ...lost.map(
      ({ id, lostFiles }): Finding => ({
        id: 'files-pruned',
        severity: 'broken',
        service: id,
        evidence: [`docker volume ls: no ${lostFiles.join(', ')}`],
        meaning:
          'The volume with its files is gone, most often by docker volume prune or docker system prune --volumes.',
        remedy: deploy,
        rank: 2,
      }),
    ),
    ...volumes.map(
      ({ name, usedBy }): Finding => ({
        id: 'data-volume-missing',
        severity: 'broken',
        service: usedBy[0],
        evidence: [`docker volume ls: no ${name}`],
        meaning: 'The volume with its data is not there. A deploy makes an empty one; what was in the old one is lost.',
        remedy: `Bring the volume back from its backup before ${deploy}`,
        rank: 1,
      }),
    ),
    ...(networks.length > 0
      ? [
          {
            id: 'networks-missing',
            severity: 'broken',
            evidence: networks.map(({ name }) => `docker network ls: no ${name}`),
            meaning:
              'Services that are connected have no network to meet in: somebody removed it, or a deploy was cut off.',
            remedy: deploy,
            rank: 3,
          } as const,
        ]
      : []),
    ...drifted.map(
      ({ name, drift }): Finding => ({
        id: 'drifted',
        severity: 'risk',
        service: name,
        evidence: drift.map(differenceOf),
        meaning: 'Its container is not the one that a deploy would make now.',
        remedy: deploy,
        rank: 10,
      }),
    ),
    ...(status.leftOver.length > 0
      ? [
          {
            id: 'left-over',
            severity: 'risk',
            evidence: status.leftOver.map(({ container, state }) => `docker ps -a: ${container}, ${state}`),
            meaning:
              'Containers of the environment that are no part of it any more: a deploy was cut off, or a service was taken out.',
            remedy: `docker rm -f ${status.leftOver.map(({ container }) => container).join(' ')}`,
            rank: 20,
          } as const,
        ]
      : []),
  ];
}

const differenceOf = ({ what, runs, wanted }: Drift): string =>
  runs === undefined && wanted === undefined
    ? `${what} differs`
    : `${what}: runs ${runs ?? '?'}, wanted ${wanted ?? '?'}`;
