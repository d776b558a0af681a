import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { NetworkInspectInfo } from 'dockerode';
import type { FindingId } from '../../../src/doctor/finding.js';
import type { Deployment } from '../../deploy/support/deployment.js';
import { inVolume } from '../../deploy/support/in-volume.js';
import { type Change, editProject, inPlaceOf, setAside } from '../support/changes.js';
import type { Undo } from '../support/fault.js';

/** One way to break a deployed environment that the doctor has to tell. */
export interface DoctorFault {
  readonly id: string;
  /** Break it, and give back how to mend it. Done when the engine, or the file, says so; the finding may come later. */
  readonly breaks: (deployment: Deployment) => Promise<Undo>;
  /** The finding that has to be among those of the doctor. */
  readonly expects: FindingId;
  /** Id of the service that it is of. @default - of none */
  readonly service?: string;
}

const NETWORK = 'rag-api--qdrant';
const PORT = 8080;
const SNAPSHOTS = 'qdrant-snapshots';

/** Qdrant, in whose place a container is that is the same but for a few things. */
const instead = (id: string, expects: FindingId, change: (env: readonly string[]) => Change): DoctorFault => ({
  id,
  service: 'qdrant',
  expects,
  breaks: (deployment) => inPlaceOf(deployment, 'qdrant', ({ Config }) => change(Config.Env)),
});

/** Qdrant, in whose place a shell script runs. */
const scripted = (id: string, expects: FindingId, script: string, HostConfig: Change['HostConfig'] = {}): DoctorFault =>
  instead(id, expects, () => ({ Entrypoint: ['/bin/sh', '-c', script], Cmd: [], HostConfig }));

/** A container that belongs to nobody. @param of what its name ends with */
async function makeBeside({ engine, name }: Deployment, of: string, Labels: Record<string, string>): Promise<Undo> {
  const { Config } = await engine.containerOf('web-bot').inspect();
  const container = await engine.docker.createContainer({
    name: `${name}-${of}`,
    Image: Config.Image,
    Labels: { 'ragdock.environment': name, ...Labels },
    HostConfig: { NetworkMode: 'none' },
  });
  return () => container.remove({ force: true });
}

/** Give the API's login another password, and let go who has come with the old one. */
const withPassword = (password: string): string => `
DO $$ DECLARE login name; BEGIN
  FOR login IN SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname LIKE 'rag\\_api%' LOOP
    EXECUTE format('ALTER ROLE %I PASSWORD %L', login, '${password}');
  END LOOP;
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'rag\\_api%';
END $$;
`;

const ownSnapshots = ({ engine, name }: Deployment, owner: string): Promise<string> =>
  inVolume(engine, `${name}-${SNAPSHOTS}`, `chown ${owner} /volume`);

/** Take a network away, with all who are in it: to the engine it is another one when it is made again. */
async function removeNetwork({ engine, name }: Deployment): Promise<NetworkInspectInfo> {
  const network = engine.docker.getNetwork(`${name}-${NETWORK}`);
  const found = (await network.inspect()) as NetworkInspectInfo;
  for (const id of Object.keys(found.Containers ?? {})) await network.disconnect({ Container: id, Force: true });
  await network.remove();
  return found;
}

/** Only a deploy brings it back. */
const deployAgain =
  ({ project }: Deployment): Undo =>
  async () => {
    await project.deploy();
  };

/** The faults, each for itself on a stack that is well. They need root: volumes are looked into and file systems mounted. */
export const DOCTOR_FAULTS: readonly DoctorFault[] = [
  scripted('crash-loop', 'crash-loop', 'echo "broken on purpose" >&2; exit 3'),
  scripted('ended-without-error', 'ended-without-error', 'echo "leaving" >&2; exit 0'),
  scripted(
    'oom-kill',
    'memory-exhausted',
    'x=$(head -c 200000000 /dev/zero | tr "\\0" x); echo "$x" | wc -c; sleep 1000',
    { Memory: 32 * 1024 ** 2, MemorySwap: 32 * 1024 ** 2, RestartPolicy: { Name: 'no' }, Init: false },
  ),
  {
    id: 'killed',
    service: 'qdrant',
    expects: 'container-ended',
    breaks: async ({ engine }) => {
      await engine.containerOf('qdrant').kill();
      return () => engine.containerOf('qdrant').start();
    },
  },
  {
    id: 'paused',
    service: 'qdrant',
    expects: 'container-paused',
    breaks: async ({ engine }) => {
      await engine.containerOf('qdrant').pause();
      return () => engine.containerOf('qdrant').unpause();
    },
  },
  {
    id: 'removed-container',
    service: 'qdrant',
    expects: 'container-missing',
    breaks: (deployment) => setAside(deployment, 'qdrant'),
  },
  {
    id: 'removed-files-container',
    expects: 'files-pruned',
    breaks: (deployment) => setAside(deployment, 'qdrant-files'),
  },
  instead('name-of-somebody-else', 'name-taken', () => ({ Labels: {} })),
  {
    id: 'failed-job',
    service: 'qdrant-collections',
    expects: 'job-failed',
    breaks: (deployment) =>
      inPlaceOf(deployment, 'qdrant-collections', () => ({
        Entrypoint: ['node', '-e', 'console.error("no reason that is known"); process.exit(1)'],
        Cmd: [],
      })),
  },
  instead('failing-probe', 'probe-fails', () => ({
    Entrypoint: ['/bin/sh', '-c', 'sleep 10000'],
    Cmd: [],
    Healthcheck: { Test: ['CMD', 'false'], Interval: 1e9, Timeout: 1e9, Retries: 1, StartPeriod: 0 },
  })),
  {
    id: 'port-of-another-container',
    service: 'web-bot',
    expects: 'port-taken',
    breaks: async ({ engine, name }) => {
      const ours = engine.containerOf('web-bot');
      const { Config } = await ours.inspect();
      await ours.stop();
      const other = await engine.docker.createContainer({
        name: `${name}-web-bot-other`,
        Image: Config.Image,
        Entrypoint: ['node', '-e', 'setInterval(() => undefined, 1000)'],
        Cmd: [],
        ExposedPorts: { '80/tcp': {} },
        HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: String(PORT) }] } },
      });
      await other.start();
      return async () => {
        await other.remove({ force: true });
        await ours.start();
      };
    },
  },
  {
    id: 'port-of-a-process',
    service: 'web-bot',
    expects: 'port-taken',
    breaks: async ({ engine }) => {
      await engine.containerOf('web-bot').stop();
      const holder = createServer().listen(PORT, '127.0.0.1');
      await once(holder, 'listening');
      return async () => {
        await new Promise((resolve) => holder.close(resolve));
        await engine.containerOf('web-bot').start();
      };
    },
  },
  {
    id: 'memory-changed',
    service: 'qdrant',
    expects: 'drifted',
    breaks: async ({ engine }) => {
      const container = engine.containerOf('qdrant');
      const { Memory = 0 } = (await container.inspect()).HostConfig;
      await container.update({ Memory: 2 * Memory, MemorySwap: 2 * Memory });
      return () => container.update({ Memory, MemorySwap: Memory });
    },
  },
  {
    id: 'restart-policy-changed',
    service: 'qdrant',
    expects: 'drifted',
    breaks: async ({ engine }) => {
      const container = engine.containerOf('qdrant');
      const { RestartPolicy } = (await container.inspect()).HostConfig;
      await container.update({ RestartPolicy: { Name: 'no' } });
      return () => container.update({ RestartPolicy });
    },
  },
  {
    id: 'made-past-the-state',
    expects: 'state-differs',
    breaks: (deployment) => inPlaceOf(deployment, 'qdrant', ({ Config }) => ({ Env: [...Config.Env, 'BY_HAND=1'] })),
  },
  {
    id: 'foreign-volume',
    service: 'qdrant',
    expects: 'volume-not-writable',
    breaks: async (deployment) => {
      await ownSnapshots(deployment, '33:33');
      return () => ownSnapshots(deployment, '1000:1000');
    },
  },
  {
    id: 'other-password',
    service: 'rag-api',
    expects: 'postgres-other-password',
    breaks: async ({ project, sql }) => {
      await sql(withPassword('a-password-of-another-volume'));
      const file = join(project.secretsFolder, 'postgres-rag-api-password.v1');
      return () => sql(withPassword(readFileSync(file, 'utf8').trim()));
    },
  },
  instead('recovery-mode', 'qdrant-recovery-mode', (env) => ({
    Env: [...env, 'QDRANT__STORAGE__RECOVERY_MODE=on purpose'],
  })),
  {
    id: 'left-over-session',
    expects: 'session-left-over',
    breaks: (deployment) =>
      makeBeside(deployment, 'operator-ask-left', {
        'ragdock.session': 'ask',
        'ragdock.session.run': 'left',
        // It was due an hour before it was made: no test waits for a deadline.
        'ragdock.session.deadline': '-3600',
      }),
  },
  {
    id: 'left-over-container',
    expects: 'left-over',
    breaks: (deployment) => makeBeside(deployment, 'taken-out', { 'ragdock.service': 'taken-out' }),
  },
  {
    id: 'removed-network',
    expects: 'networks-missing',
    breaks: async (deployment) => {
      await removeNetwork(deployment);
      return deployAgain(deployment);
    },
  },
  {
    id: 'addresses-of-another-network',
    expects: 'network-addresses-taken',
    breaks: async (deployment) => {
      const { docker } = deployment.engine;
      const { IPAM } = await removeNetwork(deployment);
      const Name = `${deployment.name}-other`;
      await docker.createNetwork({ Name, IPAM: { Driver: 'default', Config: IPAM?.Config } as never });
      return async () => {
        await docker.getNetwork(Name).remove();
        await deployAgain(deployment)();
      };
    },
  },
  {
    id: 'full-volume',
    service: 'qdrant',
    expects: 'disk-full',
    breaks: async ({ engine, name }) => {
      const { Mountpoint } = await engine.docker.getVolume(`${name}-${SNAPSHOTS}`).inspect();
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
      return async () => {
        execFileSync('umount', [Mountpoint]);
      };
    },
  },
  {
    id: 'stale-lock',
    expects: 'lock-stale',
    breaks: ({ project }) => editProject(project.lockFile, (text) => text.replace(/^ {2}rag-api--qdrant: .*\n/m, '')),
  },
  {
    id: 'damaged-state',
    expects: 'state-damaged',
    breaks: ({ project }) => editProject(project.stateFile, (text) => text.slice(0, text.length / 2)),
  },
  {
    id: 'unreachable-engine',
    expects: 'engine-unreachable',
    breaks: ({ project }) =>
      editProject(project.environmentFile, (text) =>
        /^ {2}docker:/m.test(text)
          ? text.replace(/^ {2}docker:.*$/m, '  docker: unix:///nowhere.sock')
          : `${text}host:\n  docker: unix:///nowhere.sock\n`,
      ),
  },
];
