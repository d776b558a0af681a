import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type Docker from 'dockerode';
import type { ContainerCreateOptions, ContainerInspectInfo, NetworkInspectInfo } from 'dockerode';
import type { FindingId } from '../../../src/doctor/finding.js';

/** A deployed environment that is broken on purpose, and mended again. */
export interface DoctorFaultContext {
  readonly docker: Docker;
  /** Name of the environment; it is made of what `dev` is made of. */
  readonly environment: string;
  /** Folder of the project that it was deployed from. */
  readonly project: string;
  /** Deploy it once more, as it is described. */
  deploy(): Promise<void>;
}

/** One way to break a deployed environment that the doctor has to tell. */
export interface DoctorFault {
  readonly id: string;
  /** Break it. Done when the engine, or the file, says so; the finding may come a little later. */
  provoke(context: DoctorFaultContext): Promise<void>;
  /** Mend it: everything is as before, but for the times of restarts. */
  undo(context: DoctorFaultContext): Promise<void>;
  /** The finding that has to be among those of the doctor. */
  readonly expects: FindingId;
  /** Id of the service that it is of. @default - of none */
  readonly service?: string;
}

/** Behind the name of what waits to be put back. */
const KEPT = '-kept';

const nameOf = ({ environment }: DoctorFaultContext, service: string): string => `${environment}-${service}`;
const containerOf = (context: DoctorFaultContext, service: string): Docker.Container =>
  context.docker.getContainer(nameOf(context, service));

/** Put a container aside, and one of the same settings but for `change` in its place. */
async function replace(
  context: DoctorFaultContext,
  service: string,
  change: (options: ContainerCreateOptions) => ContainerCreateOptions,
): Promise<void> {
  const { docker } = context;
  const name = nameOf(context, service);
  const original = docker.getContainer(name);
  const found = await original.inspect();
  if (found.State.Running) await original.stop();
  await original.rename({ name: `${name}${KEPT}` });
  const [first, ...further] = Object.keys(found.NetworkSettings.Networks);
  const copy = await docker.createContainer({ ...change(optionsOf(found, first)), name });
  for (const network of further) await docker.getNetwork(network).connect({ Container: copy.id });
  await copy.start();
}

function optionsOf({ Config, HostConfig }: ContainerInspectInfo, network: string | undefined): ContainerCreateOptions {
  const { Image, Env, Cmd, Entrypoint, User, Labels } = Config;
  return {
    Image,
    Env,
    Cmd,
    ...(Entrypoint ? { Entrypoint } : {}),
    User,
    Labels,
    ...((Config as { Healthcheck?: object }).Healthcheck
      ? { Healthcheck: (Config as { Healthcheck?: object }).Healthcheck as never }
      : {}),
    HostConfig: { ...HostConfig, ...(network === undefined ? {} : { NetworkMode: network }) },
  };
}

/** Undo {@link replace} and {@link setAside}. */
async function putBack(context: DoctorFaultContext, service: string, isService = true): Promise<void> {
  const { docker } = context;
  const name = nameOf(context, service);
  await docker
    .getContainer(name)
    .remove({ force: true })
    .catch((error: { statusCode?: number }) => {
      if (error.statusCode !== 404) throw error;
    });
  await docker.getContainer(`${name}${KEPT}`).rename({ name });
  if (isService) await docker.getContainer(name).start();
}

async function setAside(context: DoctorFaultContext, service: string): Promise<void> {
  const container = containerOf(context, service);
  const { State } = await container.inspect();
  if (State.Running) await container.stop();
  await container.rename({ name: `${nameOf(context, service)}${KEPT}` });
}

/** A service whose container runs this shell script instead. */
const scripted = (
  id: string,
  service: string,
  expects: FindingId,
  script: string,
  host: Partial<ContainerCreateOptions['HostConfig']> = {},
): DoctorFault => ({
  id,
  service,
  expects,
  provoke: (context) =>
    replace(context, service, (options) => ({
      ...options,
      Entrypoint: ['/bin/sh', '-c', script],
      Cmd: [],
      HostConfig: { ...options.HostConfig, ...host },
    })),
  undo: (context) => putBack(context, service),
});

/** Run a program in a container that lasts as long as it. */
async function runBeside(
  { docker }: DoctorFaultContext,
  options: ContainerCreateOptions & { readonly Image: string },
): Promise<void> {
  const container = await docker.createContainer(options);
  try {
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    if (StatusCode !== 0) throw new Error(`${options.Entrypoint} ended with ${StatusCode}`);
  } finally {
    await container.remove({ force: true });
  }
}

async function giveVolume(context: DoctorFaultContext, volume: string, owner: string): Promise<void> {
  const { Config } = await containerOf(context, 'qdrant').inspect();
  await runBeside(context, {
    Image: Config.Image,
    User: '0:0',
    Entrypoint: ['chown', owner, '/volume'],
    Cmd: [],
    HostConfig: { NetworkMode: 'none', Binds: [`${nameOf(context, volume)}:/volume`] },
  });
}

/** Run SQL as the superuser inside the database's container; it goes in by stdin, so that no log or list holds it. */
async function sql(context: DoctorFaultContext, text: string): Promise<void> {
  const run = await containerOf(context, 'postgres').exec({
    Cmd: [
      'sh',
      '-c',
      'PGPASSWORD="$(cat "$(ls -v /run/secrets/postgres-superuser-password.v* | tail -1)")" exec psql -qv ON_ERROR_STOP=1 -h 127.0.0.1 -U postgres -f -',
    ],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await run.start({ hijack: true, stdin: true });
  let said = '';
  stream.on('data', (piece: Buffer) => {
    said += piece.toString('latin1');
  });
  stream.end(text);
  await once(stream, 'end');
  const { ExitCode } = await run.inspect();
  if (ExitCode !== 0) throw new Error(`psql ended with ${ExitCode}: ${said}`);
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

const fileOf = ({ environment, project }: DoctorFaultContext, kind: 'yaml' | 'lock.yaml' | 'tfstate'): string =>
  join(project, kind === 'tfstate' ? 'state' : 'config/environments', `${environment}.${kind}`);

/** A file of the project that says something else. */
const edited = (
  id: string,
  expects: FindingId,
  kind: Parameters<typeof fileOf>[1],
  change: (text: string) => string,
): DoctorFault => ({
  id,
  expects,
  provoke: async (context) => {
    const file = fileOf(context, kind);
    copyFileSync(file, `${file}${KEPT}`);
    const text = readFileSync(file, 'utf8');
    const other = change(text);
    if (other === text) throw new Error(`${file} has nothing to change`);
    writeFileSync(file, other);
  },
  undo: async (context) => renameSync(`${fileOf(context, kind)}${KEPT}`, fileOf(context, kind)),
});

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
