import type { FindingKind } from './kind.js';

/** Findings of single containers, whatever runs in them. */
export const CONTAINER_FINDINGS = {
  'memory-exhausted': {
    severity: 'broken',
    rank: 2,
    title: 'Killed for want of memory',
    seen: '`docker inspect` (OOMKilled); for PostgreSQL its log',
    meaning: 'The kernel killed it, or one of its processes, because it took more memory than its limit.',
    remedy: 'Raise `memory` of <service> in the environment file, then `npx cdktf deploy <env>`.',
  },
  'name-taken': {
    severity: 'broken',
    rank: 3,
    title: 'The container’s name is taken',
    seen: '`docker inspect`: the container has no label of the environment',
    meaning:
      'A container of somebody else has the name <container>; a deploy fails with “The container name is already in use”.',
    remedy:
      '`docker rename <container> <container>-other` or `docker rm -f <container>`; then `npx cdktf deploy <env>`.',
  },
  'container-missing': {
    severity: 'broken',
    rank: 20,
    title: 'A container is missing',
    seen: '`docker ps -a`',
    meaning: 'A deploy was cut off, or somebody removed the container.',
    remedy: '`npx cdktf deploy <env>`',
  },
  'never-started': {
    severity: 'broken',
    rank: 6,
    title: 'A container was never started',
    seen: '`docker inspect` (created), with what the engine said',
    meaning: 'The engine made it and could not start it, or the deploy was cut off in between.',
    remedy: '`docker start <container>` says what is in the way; `npx cdktf deploy <env>` goes on.',
  },
  'container-paused': {
    severity: 'broken',
    rank: 4,
    title: 'A container is paused',
    seen: '`docker inspect`',
    meaning: 'Somebody paused it: connections are taken, and nothing is answered.',
    remedy: '`docker unpause <container>`',
  },
  'job-failed': {
    severity: 'broken',
    rank: 7,
    title: 'A job of the deploy has failed',
    seen: '`docker inspect` and the last lines of its log',
    meaning: 'What waits for it does not start, and every deploy stops at it as long as its container is there.',
    remedy: 'When its cause is gone, `docker rm <container>` and `npx cdktf deploy <env>`, which runs it again.',
  },
  'crash-loop': {
    severity: 'broken',
    rank: 10,
    title: 'A crash loop',
    seen: '`docker inspect` (restarts) and the last lines of its log',
    meaning: 'It ends soon after each start. The last lines of its log say what it said last.',
    remedy: '`npx ragdock logs <env> <service> --since 10m`',
  },
  'ended-without-error': {
    severity: 'broken',
    rank: 10,
    title: 'Ended with exit code 0',
    seen: '`docker inspect` and the last lines of its log',
    meaning:
      'It ended by itself and called that a success. vLLM does so when its engine dies; others do when they are told to stop.',
    remedy: '`docker start <container>`, then `npx ragdock logs <env> <service> --since 10m`',
  },
  'container-ended': {
    severity: 'broken',
    rank: 10,
    title: 'A container has ended',
    seen: '`docker inspect` and the last lines of its log',
    meaning:
      'It runs no more. With exit code 137 it was killed, by somebody or by the kernel; with 143 it was told to stop.',
    remedy: '`docker start <container>`, then `npx ragdock logs <env> <service> --since 10m`',
  },
  'probe-fails': {
    severity: 'broken',
    rank: 40,
    title: 'A health check fails',
    seen: '`docker inspect` (health, with the output of the last check) and the last lines of its log',
    meaning:
      'It runs, and its own health check says that it does not work. What it depends on is most often the cause: see the findings above.',
    remedy: '`npx ragdock logs <env> <service> --since 10m`',
  },
} as const satisfies Readonly<Record<string, FindingKind>>;
