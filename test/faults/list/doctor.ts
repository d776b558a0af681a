import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { NetworkInspectInfo } from 'dockerode';
import type { DoctorFault, DoctorFaultContext } from '../support/doctor-fault.js';
import { edited } from '../support/edited.js';
import { giveVolume, sql } from '../support/inside.js';
import { containerOf, nameOf, putBack, replace, scripted, setAside } from '../support/replace.js';

/** Give the API's login another password, and let go who has come with the old one. */
const withPassword = (password: string): string => `
DO $$ DECLARE login name; BEGIN
  FOR login IN SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname LIKE 'rag\\_api%' LOOP
    EXECUTE format('ALTER ROLE %I PASSWORD %L', login, '${password}');
  END LOOP;
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'rag\\_api%';
END $$;
`;

/** What an undo needs to know of how it was, by environment. */
const memoryBefore = new Map<string, number>();
const holders = new Map<string, Server>();

const NETWORK = 'rag-api--qdrant';
const PORT = 8080;

/** The faults, each for itself on a stack that is well. They need root: volumes are looked into and file systems mounted. */
export const DOCTOR_FAULTS: readonly DoctorFault[] = [
  scripted('crash-loop', 'qdrant', 'crash-loop', 'echo "broken on purpose" >&2; exit 3'),
  scripted('ended-without-error', 'qdrant', 'ended-without-error', 'echo "leaving" >&2; exit 0'),
  scripted(
    'oom-kill',
    'qdrant',
    'memory-exhausted',
    'x=$(head -c 200000000 /dev/zero | tr "\\0" x); echo "$x" | wc -c; sleep 1000',
    { Memory: 32 * 1024 ** 2, MemorySwap: 32 * 1024 ** 2, RestartPolicy: { Name: 'no' }, Init: false },
  ),
  {
    id: 'killed',
    service: 'qdrant',
    expects: 'container-ended',
    provoke: (context) => containerOf(context, 'qdrant').kill(),
    undo: (context) => containerOf(context, 'qdrant').start(),
  },
  {
    id: 'paused',
    service: 'qdrant',
    expects: 'container-paused',
    provoke: (context) => containerOf(context, 'qdrant').pause(),
    undo: (context) => containerOf(context, 'qdrant').unpause(),
  },
  {
    id: 'removed-container',
    service: 'qdrant',
    expects: 'container-missing',
    provoke: (context) => setAside(context, 'qdrant'),
    undo: (context) => putBack(context, 'qdrant'),
  },
  {
    id: 'removed-files-container',
    expects: 'files-pruned',
    provoke: (context) => setAside(context, 'qdrant-files'),
    undo: (context) => putBack(context, 'qdrant-files', false),
  },
  {
    id: 'name-of-somebody-else',
    service: 'qdrant',
    expects: 'name-taken',
    provoke: (context) => replace(context, 'qdrant', (options) => ({ ...options, Labels: {} })),
    undo: (context) => putBack(context, 'qdrant'),
  },
  {
    id: 'failed-job',
    service: 'qdrant-collections',
    expects: 'job-failed',
    provoke: (context) =>
      replace(context, 'qdrant-collections', (options) => ({
        ...options,
        Entrypoint: ['node', '-e', 'console.error("no reason that is known"); process.exit(1)'],
        Cmd: [],
      })),
    undo: (context) => putBack(context, 'qdrant-collections', false),
  },
  {
    id: 'failing-probe',
    service: 'qdrant',
    expects: 'probe-fails',
    provoke: (context) =>
      replace(context, 'qdrant', (options) => ({
        ...options,
        Entrypoint: ['/bin/sh', '-c', 'sleep 10000'],
        Cmd: [],
        Healthcheck: { Test: ['CMD', 'false'], Interval: 1e9, Timeout: 1e9, Retries: 1, StartPeriod: 0 } as never,
      })),
    undo: (context) => putBack(context, 'qdrant'),
  },
  {
    id: 'port-of-another-container',
    service: 'web-bot',
    expects: 'port-taken',
    provoke: async (context) => {
      const { docker } = context;
      const ours = containerOf(context, 'web-bot');
      const { Config } = await ours.inspect();
      await ours.stop();
      const other = await docker.createContainer({
        name: `${nameOf(context, 'web-bot')}-other`,
        Image: Config.Image,
        Entrypoint: ['node', '-e', 'setInterval(() => undefined, 1000)'],
        Cmd: [],
        ExposedPorts: { '80/tcp': {} },
        HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: String(PORT) }] } },
      });
      await other.start();
    },
    undo: async (context) => {
      await context.docker.getContainer(`${nameOf(context, 'web-bot')}-other`).remove({ force: true });
      await containerOf(context, 'web-bot').start();
    },
  },
  {
    id: 'port-of-a-process',
    service: 'web-bot',
    expects: 'port-taken',
    provoke: async (context) => {
      await containerOf(context, 'web-bot').stop();
      const holder = createServer().listen(PORT, '127.0.0.1');
      await once(holder, 'listening');
      holders.set(context.environment, holder);
    },
    undo: async (context) => {
      const holder = holders.get(context.environment);
      if (holder) await new Promise((resolve) => holder.close(resolve));
      await containerOf(context, 'web-bot').start();
    },
  },
  {
    id: 'memory-changed',
    service: 'qdrant',
    expects: 'drifted',
    provoke: async (context) => {
      const container = containerOf(context, 'qdrant');
      const { Memory = 0 } = (await container.inspect()).HostConfig;
      memoryBefore.set(context.environment, Memory);
      await container.update({ Memory: 2 * Memory, MemorySwap: 2 * Memory });
    },
    undo: async (context) => {
      const Memory = memoryBefore.get(context.environment);
      await containerOf(context, 'qdrant').update({ Memory, MemorySwap: Memory });
    },
  },
  {
    id: 'restart-policy-changed',
    service: 'qdrant',
    expects: 'drifted',
    provoke: (context) => containerOf(context, 'qdrant').update({ RestartPolicy: { Name: 'no' } }),
    undo: (context) => containerOf(context, 'qdrant').update({ RestartPolicy: { Name: 'unless-stopped' } }),
  },
  {
    id: 'made-past-the-state',
    expects: 'state-differs',
    provoke: (context) =>
      replace(context, 'qdrant', (options) => ({ ...options, Env: [...(options.Env ?? []), 'BY_HAND=1'] })),
    undo: (context) => putBack(context, 'qdrant'),
  },
  {
    id: 'foreign-volume',
    service: 'qdrant',
    expects: 'volume-not-writable',
    provoke: (context) => giveVolume(context, 'qdrant-snapshots', '33:33'),
    undo: (context) => giveVolume(context, 'qdrant-snapshots', '1000:1000'),
  },
  {
    id: 'other-password',
    service: 'rag-api',
    expects: 'postgres-other-password',
    provoke: (context) => sql(context, withPassword('a-password-of-another-volume')),
    undo: async (context) => {
      const { environment, project } = context;
      const file = join(project, '.ragdock/secrets', environment, 'postgres-rag-api-password.v1');
      await sql(context, withPassword(readFileSync(file, 'utf8').trim()));
    },
  },
  {
    id: 'recovery-mode',
    service: 'qdrant',
    expects: 'qdrant-recovery-mode',
    provoke: (context) =>
      replace(context, 'qdrant', (options) => ({
        ...options,
        Env: [...(options.Env ?? []), 'QDRANT__STORAGE__RECOVERY_MODE=on purpose'],
      })),
    undo: (context) => putBack(context, 'qdrant'),
  },
  {
    id: 'left-over-session',
    expects: 'session-left-over',
    provoke: async (context) => {
      const { Config } = await containerOf(context, 'web-bot').inspect();
      await context.docker.createContainer({
        name: nameOf(context, 'operator-ask-left'),
        Image: Config.Image,
        Labels: {
          'ragdock.environment': context.environment,
          'ragdock.session': 'ask',
          'ragdock.session.run': 'left',
          // It was due an hour before it was made: no test waits for a deadline.
          'ragdock.session.deadline': '-3600',
        },
        HostConfig: { NetworkMode: 'none' },
      });
    },
    undo: (context) => containerOf(context, 'operator-ask-left').remove({ force: true }),
  },
  {
    id: 'left-over-container',
    expects: 'left-over',
    provoke: async (context) => {
      const { Config } = await containerOf(context, 'web-bot').inspect();
      await context.docker.createContainer({
        name: nameOf(context, 'taken-out'),
        Image: Config.Image,
        Labels: { 'ragdock.environment': context.environment, 'ragdock.service': 'taken-out' },
        HostConfig: { NetworkMode: 'none' },
      });
    },
    undo: (context) => containerOf(context, 'taken-out').remove({ force: true }),
  },
  {
    id: 'removed-network',
    expects: 'networks-missing',
    provoke: async (context) => {
      await removeNetwork(context);
    },
    undo: (context) => context.deploy(),
  },
  {
    id: 'addresses-of-another-network',
    expects: 'network-addresses-taken',
    provoke: async (context) => {
      const { IPAM } = await removeNetwork(context);
      await context.docker.createNetwork({
        Name: nameOf(context, 'other'),
        IPAM: { Driver: 'default', Config: IPAM?.Config } as never,
      });
    },
    undo: async (context) => {
      await context.docker.getNetwork(nameOf(context, 'other')).remove();
      await context.deploy();
    },
  },
  {
    id: 'full-volume',
    service: 'qdrant',
    expects: 'disk-full',
    provoke: async (context) => {
      const { Mountpoint } = await context.docker.getVolume(nameOf(context, 'qdrant-snapshots')).inspect();
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,uid=1000,gid=1000', 'tmpfs', Mountpoint]);
      const fill = join(Mountpoint, 'fill');
      writeFileSync(fill, '');
      chownSync(fill, 1000, 1000);
      try {
        writeFileSync(fill, Buffer.alloc(8 * 1024 ** 2));
      } catch (error) {
        // The last block may be taken by the folder itself: full is full.
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    undo: async (context) => {
      const { Mountpoint } = await context.docker.getVolume(nameOf(context, 'qdrant-snapshots')).inspect();
      execFileSync('umount', [Mountpoint]);
    },
  },
  edited('stale-lock', 'lock-stale', 'lock.yaml', (text) => text.replace(/^ {2}rag-api--qdrant: .*\n/m, '')),
  edited('damaged-state', 'state-damaged', 'tfstate', (text) => text.slice(0, text.length / 2)),
  edited('unreachable-engine', 'engine-unreachable', 'yaml', (text) =>
    /^ {2}docker:/m.test(text)
      ? text.replace(/^ {2}docker:.*$/m, '  docker: unix:///nowhere.sock')
      : `${text}host:\n  docker: unix:///nowhere.sock\n`,
  ),
];

/** Take a network away, with all who are in it: to the engine it is another one when it is made again. */
async function removeNetwork(context: DoctorFaultContext): Promise<NetworkInspectInfo> {
  const network = context.docker.getNetwork(nameOf(context, NETWORK));
  const found = (await network.inspect()) as NetworkInspectInfo;
  for (const id of Object.keys(found.Containers ?? {})) await network.disconnect({ Container: id, Force: true });
  await network.remove();
  return found;
}
