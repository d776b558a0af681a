import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ContainerInspectInfo } from 'dockerode';
import { describe, expect, test } from 'vitest';
import { exceptionsOf, Job, Service, type Workload } from '../../../../constructs/model/index.js';
import { readPage, tables } from '../../../docs/support/markdown.js';
import { type ProcessView, processesOf, ProcessView as View } from '../container-view.js';
import type { Deployment } from '../deployment.js';
import { topologyOf } from '../described.js';
import { capabilityMask, exceptionsSeen } from '../exceptions-seen.js';
import { until } from '../poll.js';
import { asLongAsItRuns } from '../stand-in-job.js';

/** Mounts that every container has from the engine, besides what the model asks for. */
const ENGINE_MOUNTS = /^\/(proc|dev|sys)(\/|$)/;

/** From this version of its API on the engine mounts what lies below a folder of the host for reading only, too. */
const RECURSIVE_READ_ONLY = 1.44;

/** Every container is as docs/hardening.md says, seen by the engine and by the kernel. The engine has to be of this machine. */
export function hardened(deployment: Deployment): void {
  const { name, engine, project } = deployment;
  const inspect = (container: string) => engine.docker.getContainer(container).inspect();

  describe(`of ${name}`, () => {
    const topology = topologyOf(deployment);
    const services = topology.workloads.filter(Service.isService);
    const jobs = topology.workloads.filter(Job.isJob);
    const nameOf = (workload: Workload) => topology.containerName(workload);

    test('the containers have the exceptions of docs/hardening.md, and no others', async () => {
      const seen = await Promise.all(
        topology.workloads.map(async (workload) => {
          const found = await exceptionsSeen(engine.docker, await inspect(nameOf(workload)));
          return [...found].map((what) => `${workload.node.id}: ${what}`);
        }),
      );
      const model = exceptionsOf(topology.workloads).map(({ workload, what }) => `${workload}: ${what}`);
      const page = tables(readPage('docs/hardening.md'), name).flatMap((rows) =>
        rows.map(([workload, what]) => `${workload?.text}: ${what?.text}`),
      );

      expect([...seen.flat()].sort()).toEqual([...new Set(model)].sort());
      expect([...seen.flat()].sort()).toEqual([...new Set(page)].sort());
    });

    test('a container that is none of the stack’s is not on the engine under its name', async () => {
      const own = new Set(topology.workloads.flatMap((workload) => [nameOf(workload), `${nameOf(workload)}-files`]));
      expect((await engine.containers()).filter((container) => !own.has(container))).toEqual([]);
    });

    test.each(services.map((service) => [service.node.id, service] as const))(
      'every process of %s is as the kernel should have it',
      async (_id, service) => {
        const container = await inspect(nameOf(service));
        for (const view of processesOf(container)) expectConfined(view, service);
        const [first] = processesOf(container);
        // Among the host's processes the engine gives a container none: the host's own reaps there.
        if (!service.hardening.hostPid) expect(first?.name).toBe('docker-init');
        if (first) await expectMounts(first, service, await version(deployment));
        expectEngineSettings(container, service);
        expect(container.State.Health?.Status).toBe('healthy');
      },
    );

    test.each(jobs.map((job) => [job.node.id, job] as const))(
      'the job %s has ended; with its settings a process is as the kernel should have it',
      async (_id, job) => {
        const container = await inspect(nameOf(job));
        expect(container.State).toMatchObject({ Status: 'exited', ExitCode: 0 });
        expect(container.HostConfig.RestartPolicy?.Name).toBe('no');
        expectEngineSettings(container, job);
        await asLongAsItRuns(engine.docker, container, async (standIn) => {
          for (const view of processesOf(standIn)) expectConfined(view, job);
          const [first] = processesOf(standIn);
          if (first) await expectMounts(first, job, await version(deployment));
        });
      },
    );

    test('containers that carry files were never started, and could do nothing', async () => {
      const carriers = (await engine.containers()).filter((container) => container.endsWith('-files'));
      expect(carriers.length).toBeGreaterThan(3);
      for (const carrier of carriers) {
        const container = await inspect(carrier);
        expect(container.State, carrier).toMatchObject({ Status: 'created', StartedAt: '0001-01-01T00:00:00Z' });
        expect([...(await exceptionsSeen(engine.docker, container))].sort(), carrier).toEqual([
          'uid 0',
          'writable root',
        ]);
        expect(container.HostConfig, carrier).toMatchObject({
          NetworkMode: 'none',
          Memory: 16 * 2 ** 20,
          MemorySwap: 16 * 2 ** 20,
          LogConfig: { Type: 'local' },
        });
      }
    });

    test('an operator session is confined while it runs, and gone afterwards', async () => {
      const { description } = deployment;
      const sessions = () => engine.docker.listContainers({ filters: { label: ['ragdock.session'] } });
      const asking = project.tryRagdock('ask', 'Почему?', '--course', description.course, '--env', name);
      try {
        const container = await until('a session runs', async () => {
          const [session] = await sessions();
          return session && (await engine.docker.getContainer(session.Id).inspect());
        });
        expect([...(await exceptionsSeen(engine.docker, container))]).toEqual([]);
        const [first] = processesOf(container);
        expect(first?.name).toBe('docker-init');
        expectProcess(first ?? new View(0), { uid: 1000, gid: 1000, mask: capabilityMask([]), openFiles: 4096 });
        expect(first?.memory).toEqual({ limit: 128 * 2 ** 20, withSwap: 128 * 2 ** 20 });
        expect(first?.mounts.get('/')?.options).toContain('ro');
        expect(first?.mounts.get('/tmp')?.options).toEqual(
          expect.arrayContaining(['noexec', 'nosuid', 'nodev', 'size=16384k']),
        );
        expect(container.HostConfig).toMatchObject({
          PidsLimit: 64,
          AutoRemove: true,
          LogConfig: { Type: 'none' },
          Dns: ['127.0.0.1'],
        });
      } finally {
        await asking;
      }
      expect(await sessions()).toEqual([]);
    });
  });
}

function expectEngineSettings({ HostConfig: host, Name }: ContainerInspectInfo, workload: Workload): void {
  const bytes = workload.memoryMiB * 2 ** 20;
  expect(host, Name).toMatchObject({
    Init: true,
    Memory: bytes,
    MemorySwap: bytes,
    LogConfig: { Type: 'local', Config: { 'max-size': '10m', 'max-file': '3' } },
  });
  expect(JSON.stringify(host.Mounts ?? []) + JSON.stringify(host.Binds ?? []), Name).not.toContain('docker.sock');
}

interface ProcessRights {
  readonly uid: number;
  readonly gid: number;
  /** Capabilities that it could ever have, in hexadecimal. */
  readonly mask: string;
  readonly openFiles: number;
}

function expectConfined(view: ProcessView, { user, hardening, openFiles, memoryMiB, node }: Workload): void {
  expectProcess(view, { ...user, mask: capabilityMask(hardening.capabilities), openFiles }, node.id);
  const bytes = memoryMiB * 2 ** 20;
  expect(view.memory, node.id).toEqual({ limit: bytes, withSwap: bytes });
  const own = new View(process.pid);
  for (const [kind, shared] of [
    ['net', hardening.hostNetwork],
    ['pid', hardening.hostPid],
    ['ipc', hardening.hostIpc],
    ['uts', false],
    ['mnt', false],
  ] as const) {
    expect(view.namespace(kind) === own.namespace(kind), `${node.id} shares ${kind}`).toBe(shared);
  }
}

function expectProcess(view: ProcessView, { uid, gid, mask, openFiles }: ProcessRights, what = 'session'): void {
  const said = `${what}, process ${view.name}`;
  const four = (id: number) => [id, id, id, id].join('\t');
  expect(view.status('Uid'), said).toBe(four(uid));
  expect(view.status('Gid'), said).toBe(four(gid));
  expect(view.status('CapBnd'), said).toBe(mask);
  // Only root has what its bounding set allows; everybody else has nothing.
  const inForce = uid === 0 ? mask : capabilityMask([]);
  expect([view.status('CapPrm'), view.status('CapEff'), view.status('CapAmb')], said).toEqual([
    inForce,
    inForce,
    capabilityMask([]),
  ]);
  expect(view.status('NoNewPrivs'), said).toBe('1');
  expect(view.status('Seccomp'), said).toBe('2');
  expect(view.limit('Max core file size'), said).toEqual(['0', '0']);
  const [soft, hard] = view.limit('Max open files');
  expect(Number(hard), said).toBe(openFiles);
  // A process may ask for less by itself.
  expect(Number(soft), said).toBeLessThanOrEqual(openFiles);
}

/** What can be written to is what the model says, and no program can be put there and run. */
async function expectMounts(view: ProcessView, workload: Workload, api: number): Promise<void> {
  const { mounts } = view;
  const { tmpfs, dataVolumes, hostMounts, hardening, node } = workload;
  expect(mounts.get('/')?.options.includes('ro'), `${node.id} /`).toBe(hardening.readOnlyRoot);
  if (hardening.readOnlyRoot) expect(() => writeFileSync(view.inside('/ragdock-probe'), 'x')).toThrow(/EROFS/);
  for (const { path: given, sizeMiB } of tmpfs) {
    const path = resolved(given);
    expect(mounts.get(path)?.type, `${node.id} ${path}`).toBe('tmpfs');
    expect(mounts.get(path)?.options, `${node.id} ${path}`).toEqual(
      expect.arrayContaining(['rw', 'noexec', 'nosuid', 'nodev', `size=${sizeMiB * 1024}k`]),
    );
    expectNoProgram(view, path);
  }
  if (!hardening.readOnlyRoot) return;
  const writable = [
    ...tmpfs.map(({ path }) => resolved(path)),
    ...dataVolumes.filter((it) => !it.readOnly).map((it) => it.path),
  ];
  // Older engines leave what the host has mounted below such a folder as it is; docs/hardening.md says so. What is mounted there
  // later arrives as it is with every engine: the network namespaces of containers that started after this one, which hold no files.
  const below = ({ path, type }: { path: string; type: string }) =>
    (api < RECURSIVE_READ_ONLY || type === 'nsfs') && hostMounts.some((it) => path.startsWith(`${it.path}/`));
  const written = [...mounts.values()].filter(({ options }) => options.includes('rw'));
  const surplus = written.filter((it) => !ENGINE_MOUNTS.test(it.path) && !writable.includes(it.path) && !below(it));
  expect(
    surplus.map(({ path }) => path),
    node.id,
  ).toEqual([]);
}

/** Where a mount is: images have a link there. */
const resolved = (path: string): string => path.replace(/^\/var\/run\//, '/run/');

/** A program that is put into a folder does not start; that it is one is shown by starting it elsewhere. */
function expectNoProgram(view: ProcessView, folder: string): void {
  const program = view.inside(`${folder}/.ragdock-probe`);
  try {
    copyFileSync('/bin/true', program);
    chmodSync(program, 0o755);
    expect(spawnSync('/bin/true').status).toBe(0);
    expect((spawnSync(program).error as NodeJS.ErrnoException | undefined)?.code, folder).toBe('EACCES');
  } finally {
    rmSync(program, { force: true });
  }
}

const version = async ({ engine }: Deployment): Promise<number> => {
  const { ApiVersion } = await engine.docker.version();
  const [major = '1', minor = '0'] = ApiVersion.split('.');
  return Number(`${major}.${minor.padStart(2, '0')}`);
};
