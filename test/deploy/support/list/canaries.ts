import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crash, LAST_WORDS } from '../crash.js';
import type { Deployment } from '../deployment.js';
import { exportedKeys } from '../exported-keys.js';
import { MARK, marked } from '../marked.js';
import { overwriteSecret } from '../overwrite-secret.js';
import { until } from '../poll.js';
import { type ContainerProcess, processesOf } from '../processes.js';
import { PROMETHEUS } from '../prometheus-tells.js';
import { type Canary, formsOf, Search } from '../search.js';
import { question, strangeRequests } from '../strange-requests.js';

/** Services that are Node programs of this project. */
const BUNDLED: ReadonlySet<string> = new Set(['rag-api', 'web-bot', 'agent-exporter']);

/**
 * The values of the stack's secrets are looked for wherever a deploy, a question, a failure or a crash may have left
 * them. The engine has to be of this machine. Nothing may have written a key into a log on purpose before.
 */
export function canariesStayInTheirFiles(deployment: Deployment): void {
  const { name: environment, description, project, engine, ask } = deployment;
  const { docker } = engine;
  let canaries: readonly Canary[] = [];
  let search = new Search([]);
  let events = '';
  let stream: Readable | undefined;

  describe(`no value of ${environment}, in whatever form, is`, () => {
    beforeAll(async () => {
      const stored = readdirSync(project.secretsFolder).map((name) => ({
        name: name.replace(/\.v\d+$/, ''),
        value: readFileSync(join(project.secretsFolder, name), 'utf8'),
      }));
      expect(stored.length).toBeGreaterThan(3);
      // A piece of a planted value is found however short it was cut.
      expect(stored.filter(({ value }) => !value.startsWith(MARK))).toEqual([]);
      canaries = [...stored, { name: MARK, value: MARK }];
      search = new Search(canaries);
      stream = (await docker.getEvents()) as unknown as Readable;
      stream.on('data', (chunk: Buffer) => {
        events += chunk.toString('utf8');
      });
    });

    afterAll(async () => {
      stream?.destroy();
      await engine.allHealthy();
    });

    test('(the search itself finds every form, in a text, a file and what the engine tells)', async () => {
      // A value that no secret has, nor a piece of it: the engine tells of what was planted.
      const value = marked('pl4nted');
      const finds = new Search([{ name: 'planted', value }]);
      const folder = mkdtempSync(join(tmpdir(), 'ragdock-canaries-'));
      try {
        mkdirSync(join(folder, 'deep'));
        const planted = formsOf(value).map((form, index) => {
          const file = join(folder, 'deep', String(index));
          writeFileSync(file, Buffer.concat([Buffer.from([0, 255]), Buffer.from(`x${form}y`)]));
          expect(finds.in(`…${form}…`)).toEqual(['planted']);
          return file;
        });
        expect([...(await finds.inFiles([folder]))].sort()).toEqual(planted.sort());
        for (const { name, value } of canaries) expect(search.in(`…${value}…`)).toContain(name);
      } finally {
        rmSync(folder, { recursive: true });
      }
      const image = (await engine.containerOf('rag-api').inspect()).Image;
      const container = await docker.createContainer({
        Image: image,
        Labels: { planted: Buffer.from(`..${value}`).toString('base64') },
      });
      try {
        expect(finds.in(JSON.stringify(await container.inspect()))).toEqual(['planted']);
      } finally {
        await container.remove({ force: true });
      }
    });

    test('in the output of a command, also of one that fails or is to tell more', async () => {
      const collection = ['--collection', description.collection, '--course', description.course];
      const commands: readonly (readonly string[])[] = [
        ['secrets', 'list', environment],
        ['secrets', 'check', environment],
        ['secrets', 'init', environment],
        ['validate', environment, '--print'],
        ['status', environment],
        ['status', environment, '--json'],
        ['logs', environment],
        ['smoke', environment, '--timeout', '120'],
        ['ask', 'anything', '--course', 'no-such-course', '--env', environment],
        ['ingest', 'no-such-file.md', ...collection, '--env', environment],
      ];
      for (const command of commands) {
        const { stdout, stderr } = await project.run('npx', ['ragdock', ...command], { env: { RAGDOCK_DEBUG: '1' } });
        expect(stdout + stderr, command.join(' ')).not.toBe('');
        expect(search.in(stdout + stderr), command.join(' ')).toEqual([]);
      }
      await ask();
    });

    test('in the output of Terraform and of cdktf, when a pipeline lets them tell everything too', async () => {
      const replace = '-replace=docker_container.rag-api_files';
      const env = { TF_LOG: 'TRACE', CDKTF_LOG_LEVEL: 'debug' };
      // Both ways in which cdktf may ask for it: by itself Terraform would have nothing to do.
      const cdktf = { ...env, TF_CLI_ARGS_plan: replace, TF_CLI_ARGS_apply: replace };
      const cwd = join(project.folder, 'cdktf.out/stacks', environment);
      const before = await engine.docker.getContainer(`${engine.nameOf('rag-api')}-files`).inspect();
      for (const [program, args, options] of [
        ['terraform', ['plan', '-input=false', '-no-color', '-out=canaries.plan', replace], { cwd, env }],
        ['terraform', ['show', '-no-color', 'canaries.plan'], { cwd, env }],
        ['terraform', ['show', '-json', 'canaries.plan'], { cwd, env }],
        ['npx', ['cdktf', 'diff', environment, '--skip-provider-lock'], { env: cdktf }],
        ['npx', ['cdktf', 'deploy', environment, '--auto-approve', '--skip-provider-lock'], { env: cdktf }],
        ['terraform', ['output', '-json'], { cwd, env }],
      ] as const) {
        const { code, stdout, stderr } = await project.run(program, args, options);
        expect(code, stdout.slice(-2000) + stderr.slice(-2000)).toBe(0);
        expect(search.in(stdout + stderr), args.join(' ')).toEqual([]);
      }
      // Something was done: values were written anew.
      const after = await engine.docker.getContainer(`${engine.nameOf('rag-api')}-files`).inspect();
      expect(after.Id).not.toBe(before.Id);
      await engine.allHealthy();
    });

    test('in an error body, whether the key was right or nearly right', async () => {
      const answers = JSON.parse(await engine.execIn('rag-api', ['node', '-e', strangeRequests(deployment)])) as {
        readonly status: number;
        readonly text: string;
      }[];

      expect(answers.length).toBeGreaterThan(5);
      expect(answers.filter(({ status }) => status >= 400).length).toBeGreaterThan(5);
      for (const { text } of answers) expect(search.in(text), text).toEqual([]);
    });

    test.each([
      ['qdrant-api-key', 'Qdrant'],
      [`${description.llm.service}-api-key`, 'the model server'],
      ['postgres-rag-api-password', 'PostgreSQL'],
    ])('in what the running API answers and logs when its %s is wrong', async (secret) => {
      const wrong = marked();
      const finds = new Search([...canaries, { name: 'wrong', value: wrong }]);
      const restore = await overwriteSecret(engine, `${secret}.v1`, wrong);
      let answer: { readonly status: number; readonly degraded: string; readonly text: string };
      try {
        await engine.containerOf('rag-api').restart();
        const asked = await until('the API listens', () =>
          engine.execIn('rag-api', ['node', '-e', question(description.course)]),
        );
        answer = JSON.parse(asked);
      } finally {
        await restore();
        await engine.containerOf('rag-api').restart();
      }
      // It has shown the wrong one: it was refused, or went on without what it could not reach.
      expect(answer.status >= 500 || answer.degraded !== '', JSON.stringify(answer)).toBe(true);
      expect(finds.in(JSON.stringify(answer)), JSON.stringify(answer)).toEqual([]);
      for (const service of description.services) {
        const log = await engine.logsOf(engine.nameOf(service));
        if (service === 'rag-api') expect(log).toContain('"level"');
        expect(finds.in(log), service).toEqual([]);
      }
      await engine.allHealthy();
    });

    test.each(PROMETHEUS)('in what Prometheus tells by %s', async (path, holds) => {
      const found = await deployment.prometheus<unknown>(path);
      expect(holds(found), JSON.stringify(found).slice(0, 200)).toBe(true);
      expect(search.in(JSON.stringify(found))).toEqual([]);
    });

    test('on a command line or in a variable of a process, but for the exceptions that are named', async () => {
      const processes: ContainerProcess[] = [];
      for (const container of await engine.containers()) processes.push(...(await processesOf(engine, container)));
      expect(processes.length).toBeGreaterThanOrEqual(description.services.length);
      const exceptions = exportedKeys(deployment);

      for (const { container, cmdline, environ, environMode } of processes) {
        expect(search.in(cmdline), `${container}: command line`).toEqual([]);
        for (const variable of environ) {
          const found = search.in(variable);
          if (found.length === 0) continue;
          const [name = ''] = variable.split('=');
          expect(exceptions).toContainEqual([container, name, found.filter((secret) => secret !== MARK).join()]);
          expect(environMode).toBe('400');
        }
      }
    });

    test('(every service has crashed, and said what it had to say)', async () => {
      for (const service of description.services) {
        const way = await crash(engine, service);
        // The bundled apps say what they died of.
        if (way === 'exception') expect(await engine.logsOf(engine.nameOf(service)), service).toContain(LAST_WORDS);
        if (BUNDLED.has(service)) expect(way, service).toBe('exception');
      }
      await engine.allHealthy();
    });

    test('in a file of the project, of a volume, or of what a container may write to', async () => {
      const own = ['cdktf.out', 'state', 'config', 'dist'].map((folder) => join(project.folder, folder));
      expect(await search.inFiles(own)).toEqual([]);

      const { Volumes } = await docker.listVolumes();
      const volumes = Volumes.filter(({ Name }) => !Name.endsWith('-secrets'));
      expect(volumes.length).toBeGreaterThan(4);
      expect(await search.inFiles(volumes.map(({ Mountpoint }) => Mountpoint))).toEqual([]);
      // Where values belong they are found.
      const [secrets] = Volumes.filter(({ Name }) => Name === `${engine.nameOf('rag-api')}-secrets`);
      expect(await search.inFiles([secrets?.Mountpoint ?? ''])).not.toEqual([]);

      let searched = 0;
      for (const service of description.services) {
        const { State, HostConfig } = await engine.containerOf(service).inspect();
        const mounted = (HostConfig.Mounts ?? []).filter(({ Type }) => Type === 'tmpfs').map(({ Target }) => Target);
        const folders = ['/dev/shm', ...mounted].map((path) => `/proc/${State.Pid}/root${path}`);
        const present = folders.filter((folder) => statSync(folder, { throwIfNoEntry: false }));
        if (present.length > 0) expect(await search.inFiles(present), service).toEqual([]);
        searched += mounted.filter((path) => present.includes(`/proc/${State.Pid}/root${path}`)).length;
      }
      expect(searched, 'folders in memory that were searched').toBeGreaterThan(2);
    });

    test('in what the engine tells of a container, an image, a volume, a network, an event, or in a log', async () => {
      const containers = await docker.listContainers({ all: true });
      expect(containers.length).toBeGreaterThan(10);
      for (const { Id, Names } of containers) {
        const inspected = await docker.getContainer(Id).inspect();
        expect(search.in(JSON.stringify(inspected)), Names[0]).toEqual([]);
        if (inspected.HostConfig.LogConfig?.Type !== 'none')
          expect(search.in(await engine.logsOf(Id)), Names[0]).toEqual([]);
      }
      for (const { Id } of await docker.listImages()) {
        const image = docker.getImage(Id);
        expect(search.in(JSON.stringify([await image.inspect(), await image.history()])), Id).toEqual([]);
      }
      for (const network of await docker.listNetworks()) {
        expect(search.in(JSON.stringify(await docker.getNetwork(network.Id).inspect())), network.Name).toEqual([]);
      }
      const { Volumes } = await docker.listVolumes();
      expect(search.in(JSON.stringify(Volumes))).toEqual([]);
      expect(events).toContain('"Type":"container"');
      expect(search.in(events)).toEqual([]);
    });
  });
}
