import type { FindingKind } from './kind.js';

/** Findings where the engine, the state or the lock file has something else than the environment's files say. */
export const STACK_FINDINGS = {
  'lock-promise-broken': {
    severity: 'broken',
    rank: 3,
    title: 'A promise of the lock file is broken',
    seen: 'the lock file against the environment file; nothing is asked',
    meaning: 'The environment file would lose data from sight. Synth and deploy refuse it.',
    remedy: '<how>',
  },
  'lock-stale': {
    severity: 'broken',
    rank: 3,
    title: 'The lock file does not fit the environment file',
    seen: 'the lock file against the environment file; nothing is asked',
    meaning: 'Synth and deploy refuse the environment until both files agree.',
    remedy: '`npx ragdock lock <env>`, then commit both files.',
  },
  'not-deployed': {
    severity: 'broken',
    rank: 8,
    title: 'Nothing is deployed',
    seen: '`docker ps -a`: none of its services has a container',
    meaning:
      'It was never deployed to the engine at <address>, was destroyed, or every deploy stopped before its services.',
    remedy: '`npx cdktf deploy <env> --auto-approve --skip-provider-lock`',
  },
  'data-volume-missing': {
    severity: 'broken',
    rank: 1,
    title: 'A data volume is gone',
    seen: '`docker volume ls`',
    meaning: 'The volume with its data is not there. A deploy makes an empty one; what was in the old one is lost.',
    remedy: 'Bring the volume back from its backup before `npx cdktf deploy <env>`.',
  },
  'files-volume-missing': {
    severity: 'broken',
    rank: 2,
    title: 'A volume of files is gone',
    seen: '`docker volume ls`',
    meaning:
      'The volume with its configuration or secrets is gone, most often by `docker system prune --volumes` while nothing mounted it.',
    remedy: '`npx cdktf deploy <env>` makes and fills it again.',
  },
  'networks-missing': {
    severity: 'broken',
    rank: 3,
    title: 'Networks are missing',
    seen: '`docker network ls`',
    meaning: 'Services that are connected have no network to meet in: somebody removed it, or a deploy was cut off.',
    remedy: '`npx cdktf deploy <env>`',
  },
  'state-damaged': {
    severity: 'broken',
    rank: 4,
    title: 'Terraform’s state cannot be read',
    seen: 'the state file, where it is a file of this machine',
    meaning: 'The file is no state any more, as after a full disk. No deploy works without it.',
    remedy: 'Put the copy beside it back: `cp <file>.backup <file>`.',
  },
  'state-differs': {
    severity: 'broken',
    rank: 30,
    title: 'Containers are not those of Terraform’s state',
    seen: 'the state file against `docker ps -a`, where the state is a file of this machine',
    meaning:
      'Containers were made past this state, or the state is an old one: the next deploy wants to make them and finds their names in use.',
    remedy: '`docker rm -f <containers>`, then `npx cdktf deploy <env>`. Data is in volumes and stays.',
  },
  'deploy-interrupted': {
    severity: 'risk',
    rank: 8,
    title: 'A deploy was interrupted',
    seen: 'the state file, where it is a file of this machine: tainted containers',
    meaning: 'A deploy ended before these containers were ready; the next one removes and makes them again.',
    remedy: '`npx cdktf deploy <env>`',
  },
  drifted: {
    severity: 'risk',
    rank: 10,
    title: 'A container drifted from its files',
    seen: '`docker inspect` against what synth makes of the environment now',
    meaning:
      'Its container is not the one that a deploy would make now: somebody changed it, or the files. While the service works that is a risk; where its health check fails or it is in a crash loop, nothing says why, and the servers that it needs are well, it is the likeliest cause.',
    remedy: '`npx cdktf diff <env>` shows what a deploy does; `npx cdktf deploy <env>` does it.',
  },
  'files-pruned': {
    severity: 'risk',
    rank: 15,
    title: 'Files containers were pruned',
    seen: '`docker ps -a`: no NAME-files',
    meaning:
      'The containers that carry files into volumes are gone, most often by `docker container prune` or `docker system prune`. Services run on; their volumes are the next that a prune may take.',
    remedy: '`npx cdktf deploy <env>` makes them again and touches no service.',
  },
  'left-over': {
    severity: 'risk',
    rank: 20,
    title: 'Containers that are no part of the environment',
    seen: '`docker ps -a`: the environment’s label on containers that its files do not know',
    meaning: 'A deploy was cut off, or a service was taken out of the files after somebody else had deployed it.',
    remedy: '`docker rm -f <containers>`',
  },
  'session-left-over': {
    severity: 'risk',
    rank: 25,
    title: 'Sessions of commands that are gone',
    seen: '`docker ps -a`: containers of `ragdock ask`, `ingest`, `smoke`, … past their deadline',
    meaning: 'A command was killed and left its container behind, which holds addresses of the networks it joined.',
    remedy: '`docker rm -f <containers>`; the next command that needs a session does the same.',
  },
} as const satisfies Readonly<Record<string, FindingKind>>;
