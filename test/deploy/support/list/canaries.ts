import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Deployment } from '../deployment.js';
import { until } from '../poll.js';
import { type ContainerProcess, catches, processesOf } from '../processes.js';
import { type Canary, formsOf, Search } from '../search.js';

/**
 * Variables in which third-party programs get their own key, because they take it in no other way that is safer. The
 * script that starts them reads it from its file, so it is in no setting of the container, and /proc shows it to the
 * service's own user and root alone.
 */
const EXPORTED: Readonly<Record<string, { readonly variable: string; readonly why: string }>> = {
  qdrant: { variable: 'QDRANT__SERVICE__API_KEY', why: 'has no setting for the file of a key' },
  vllm: { variable: 'VLLM_API_KEY', why: 'prints every flag and every line of its configuration file into its log' },
  embeddings: { variable: 'API_KEY', why: 'has no flag for the file of a key' },
};

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
      canaries = readdirSync(project.secretsFolder).map((name) => ({
        name: name.replace(/\.v\d+$/, ''),
        value: readFileSync(join(project.secretsFolder, name), 'utf8'),
      }));
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
      const [{ name, value } = { name: '', value: '' }] = canaries;
      expect(canaries.length).toBeGreaterThan(3);
      const folder = mkdtempSync(join(tmpdir(), 'ragdock-canaries-'));
      try {
        mkdirSync(join(folder, 'deep'));
        const planted = formsOf(value).map((form, index) => {
          const file = join(folder, 'deep', String(index));
          writeFileSync(file, Buffer.concat([Buffer.from([0, 255]), Buffer.from(`x${form}y`)]));
          expect(search.in(`…${form}…`)).toEqual([name]);
          return file;
        });
        expect([...(await search.inFiles([folder]))].sort()).toEqual(planted.sort());
      } finally {
        rmSync(folder, { recursive: true });
      }
      const image = (await engine.containerOf('rag-api').inspect()).Image;
      const container = await docker.createContainer({
        Image: image,
        Labels: { planted: Buffer.from(`..${value}`).toString('base64') },
      });
      try {
        expect(search.in(JSON.stringify(await container.inspect()))).toEqual([name]);
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

    test('in the output of Terraform, when a pipeline lets it tell everything too', async () => {
      const address = 'docker_container.rag-api_files';
      const env = { TF_LOG: 'TRACE' };
      const cwd = join(project.folder, 'cdktf.out/stacks', environment);
      for (const args of [
        ['plan', '-input=false', '-no-color', '-out=canaries.plan', `-replace=${address}`],
        ['show', '-no-color', 'canaries.plan'],
        ['show', '-json', 'canaries.plan'],
        ['apply', '-input=false', '-no-color', 'canaries.plan'],
        ['output', '-json'],
      ]) {
        const { code, stdout, stderr } = await project.run('terraform', args, { cwd, env });
        expect(code, stderr.slice(-2000)).toBe(0);
        expect(search.in(stdout + stderr), args.join(' ')).toEqual([]);
      }
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

    test('in a metric, a label or a target', async () => {
      for (const path of [
        'series?match[]={__name__=~".%2B"}',
        'targets',
        'targets/metadata',
        'status/config',
        'rules',
      ]) {
        const found = JSON.stringify(await deployment.prometheus<unknown>(path));
        expect(found.length).toBeGreaterThan(20);
        expect(search.in(found), path).toEqual([]);
      }
    });

    test('on a command line or in a variable of a process, but for the exceptions that are named', async () => {
      const processes: ContainerProcess[] = [];
      for (const container of await engine.containers()) processes.push(...(await processesOf(engine, container)));
      expect(processes.length).toBeGreaterThanOrEqual(description.services.length);
      const allowed = new Set(Object.values(EXPORTED).map(({ variable }) => variable));
      const ownKeys = new Set(['qdrant', 'embeddings', description.llm.service].map((service) => `${service}-api-key`));

      for (const { container, cmdline, environ, environMode } of processes) {
        expect(search.in(cmdline), `${container}: command line`).toEqual([]);
        for (const variable of environ) {
          const found = search.in(variable);
          if (found.length === 0) continue;
          const [name = ''] = variable.split('=');
          expect([...allowed], `${container} has a value of ${found} in ${name}`).toContain(name);
          expect(ownKeys.has(found.join()), `${container} has ${found} in ${name}`).toBe(true);
          expect(environMode).toBe('400');
        }
      }
    });

    test('anywhere after every service has crashed', async () => {
      const before = await Promise.all(
        description.services.map(async (service) => ({ service, ...(await engine.containerOf(service).inspect()) })),
      );
      const ways = await Promise.all(
        before.map(async ({ service, State }) => [service, await crash(service, State.Pid)]),
      );
      for (const { service, State } of before) {
        await until(`${service} was started again`, async () => {
          const now = await engine.containerOf(service).inspect();
          return (
            now.State.Running &&
            (now.State.StartedAt !== State.StartedAt || ways.some(([it, way]) => it === service && way === 'child'))
          );
        });
      }
      await engine.allHealthy();

      // The bundled apps have said what they died of.
      expect(await engine.logsOf(engine.nameOf('rag-api'))).toContain('a crash of the test');
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

      for (const service of description.services) {
        const { State, HostConfig } = await engine.containerOf(service).inspect();
        const folders = ['/dev/shm', ...Object.keys(HostConfig.Tmpfs ?? {})].map(
          (path) => `/proc/${State.Pid}/root${path}`,
        );
        const present = folders.filter((folder) => statSync(folder, { throwIfNoEntry: false }));
        if (present.length > 0) expect(await search.inFiles(present), service).toEqual([]);
      }
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

    /**
     * Let a service die in the way that tells most: a Node program of an exception that nobody catches, another one of
     * SIGABRT where it has a handler that reports, or one of its children of SIGSEGV. The rest ignores, as process 1 of
     * a container, every signal but SIGKILL.
     */
    async function crash(service: string, pid: number): Promise<'main' | 'child'> {
      const { SIGABRT, SIGSEGV, SIGUSR1 } = constants.signals;
      if (readFileSync(`/proc/${pid}/comm`, 'latin1').trim() === 'node' && catches(pid, SIGUSR1)) {
        process.kill(pid, SIGUSR1);
        // The connection ends with the program, and so may the command that made it.
        await engine.execIn(service, ['node', '-e', THROW]).catch(() => undefined);
        return 'main';
      }
      const [child] = (await processesOf(engine, engine.nameOf(service))).filter((it) => it.pid !== pid);
      if (child && service === 'postgres') {
        process.kill(child.pid, SIGSEGV);
        return 'child';
      }
      process.kill(pid, catches(pid, SIGABRT) ? SIGABRT : 'SIGKILL');
      return 'main';
    }
  });
}

/** Through the debugger that SIGUSR1 opens inside the container: an exception that nobody catches. */
const THROW = `
const evaluate = async () => {
  const [{ webSocketDebuggerUrl }] = await (await fetch('http://127.0.0.1:9229/json')).json();
  const socket = new WebSocket(webSocketDebuggerUrl);
  await new Promise((done, fail) => { socket.onopen = done; socket.onerror = fail; });
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: "setTimeout(() => { throw new Error('a crash of the test') })" } }));
  await new Promise((done) => { socket.onclose = done; socket.onerror = done; });
};
const deadline = Date.now() + 20000;
(function again() { evaluate().catch((error) => { if (Date.now() > deadline) throw error; setTimeout(again, 100); }); })();
`;

/** From inside the API: every server that it knows is asked with its key and with one that is nearly right. */
const strangeRequests = ({ engine, description: { llm } }: Deployment): string => `
const { readFileSync } = require('node:fs');
const key = (name) => readFileSync('/run/secrets/' + name + '.v1', 'utf8').trim();
const servers = [
  ['http://${engine.nameOf('qdrant')}:6333', key('qdrant-api-key'), ['/collections/no-such', '/collections/%ff', '/no/such/path']],
  ['http://${engine.nameOf(llm.service)}:${llm.port}', key('${llm.service}-api-key'), ['/v1/no-such', '/v1/chat/completions', '/v1/completions']],
];
(async () => {
  const answers = [];
  for (const [url, right, paths] of servers) for (const value of [right, right + 'x', right.toUpperCase()]) for (const path of paths) {
    for (const headers of [{ 'api-key': value }, { authorization: 'Bearer ' + value }]) {
      const reply = await fetch(url + path, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{"model": 7' }).catch((error) => error);
      answers.push(reply instanceof Error ? { status: 0, text: String(reply.cause ?? reply) } : { status: reply.status, text: await reply.text() });
    }
  }
  console.log(JSON.stringify(answers));
})();
`;
