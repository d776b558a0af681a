import { describe, expect, test } from 'vitest';
import { readLines } from '../../src/apps/operator/lines.js';
import type { CheckResult, SmokeCommand, SmokeEvent, SmokePlan } from '../../src/apps/operator/smoke/protocol.js';
import { RagdockError } from '../../src/errors/problem.js';
import { connectEngine, type EngineOptions } from '../../src/operator/docker.js';
import { readInventory, stackOf } from '../../src/operator/stack.js';
import type { SmokeReport } from '../../src/smoke/report.js';
import { runSmoke, type SmokeOptions } from '../../src/smoke/run.js';
import { becomes, engineWith } from '../operator/support/deployed-engine.js';
import type { Program, RunningContainer, ScriptedEngine } from '../operator/support/scripted-engine.js';
import { devWith, type Yaml } from '../support/environments.js';
import { until } from '../support/until.js';

const stack = stackOf(devWith());

const passed = (service: string): CheckResult => ({
  service,
  check: 'ready',
  level: 'service',
  outcome: 'passed',
  seconds: 0.1,
});

/** The inside of a session: it tells what a test wants, and masks by writing XXX for `s3cr3t`. */
class Inside {
  plan: SmokePlan | undefined;
  readonly commands: SmokeCommand[] = [];
  /** What it does with the plan, before it says that it is done. */
  work: (inside: Inside) => Promise<void> | void = ({ plan, say }) => {
    for (const { id } of plan?.targets ?? []) say({ event: 'check', result: passed(id) });
  };
  say: (event: SmokeEvent) => void = () => undefined;
  /** Resolves when its container is to stop. */
  stopped: Promise<void> = Promise.resolve();
  #heard: (() => void) | undefined;

  readonly program: Program = async ({ stdin, stdout, stopped }: RunningContainer) => {
    this.stopped = new Promise((resolve) => stopped.addEventListener('abort', () => resolve()));
    this.say = (event) => stdout(`${JSON.stringify(event)}\n`);
    const lines = readLines(stdin);
    this.plan = JSON.parse((await lines.next()).value ?? 'null');
    const obeying = this.#obey(lines);
    await this.work(this);
    this.say({ event: 'done' });
    await obeying;
    return 0;
  };

  /** Resolves when a command like this one has come. */
  async heard(command: SmokeCommand['command']): Promise<void> {
    while (!this.commands.some((it) => it.command === command)) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  async #obey(lines: AsyncIterable<string>): Promise<void> {
    for await (const line of lines) {
      const command = JSON.parse(line) as SmokeCommand;
      this.commands.push(command);
      this.#heard?.();
      if (command.command === 'mask') {
        this.say({ event: 'masked', id: command.id, text: command.text.replaceAll('s3cr3t', 'XXX') });
      }
    }
  }
}

async function smoke(
  engine: ScriptedEngine,
  { answerMs, of = stack, ...options }: Partial<SmokeOptions> & EngineOptions & { readonly of?: typeof stack } = {},
): Promise<SmokeReport> {
  return runSmoke(await connectEngine(engine.address, answerMs ? { answerMs } : {}), of, {
    timeoutSeconds: 20,
    signal: new AbortController().signal,
    secrets: [],
    onCheck: () => undefined,
    onWaiting: () => undefined,
    ...options,
  });
}

const failures = ({ checks }: SmokeReport) => checks.filter(({ outcome }) => outcome === 'failed');

test('a stack that answers: every container was looked at, and every service asked inside', async () => {
  const inside = new Inside();
  const engine = await engineWith(stack, inside.program);
  const report = await smoke(engine);

  expect(report).toMatchObject({ ok: true, environment: 'dev', counts: { failed: 0, skipped: 0 } });
  expect(inside.plan?.targets.map(({ id }) => id).sort()).toEqual([
    'llm-main',
    'node-exporter',
    'postgres',
    'prometheus',
    'qdrant',
    'rag-api',
    'web-bot',
  ]);
  expect(new Set(report.checks.filter(({ level }) => level === 'up').map(({ service }) => service))).toEqual(
    new Set(stack.topology.workloads.map(({ node }) => node.id)),
  );
  expect(engine.containers.size).toBe(0);
});

test('the plan names addresses, files and what is expected, and nothing that is secret', async () => {
  const inside = new Inside();
  await smoke(await engineWith(stack, inside.program));
  const byId = Object.fromEntries((inside.plan?.targets ?? []).map((target) => [target.id, target]));

  expect(byId.qdrant).toMatchObject({
    url: 'http://dev-qdrant:6333',
    keyFile: '/run/secrets/qdrant/qdrant-api-key',
    collections: expect.arrayContaining([{ name: 'BD_curs_data', language: 'russian' }]),
  });
  expect(byId.postgres).toMatchObject({
    url: 'postgresql://rag_api_*@dev-postgres:5432/ml_db',
    settings: expect.objectContaining({ shared_buffers: '256MB', max_connections: 100 }),
  });
  expect(byId['rag-api']?.needs.sort()).toEqual(['llm-main', 'postgres', 'qdrant']);
  expect(byId.prometheus).toMatchObject({
    scrapeSeconds: 15,
    targets: expect.arrayContaining([
      { service: 'qdrant', instance: 'dev-qdrant:9090' },
      { service: 'node-exporter', instance: 'dev-node-exporter:9100' },
    ]),
  });
  expect(inside.plan?.path).toMatchObject({ collection: 'BD_curs_data', course: 'demo' });
});

describe('a stopped service', () => {
  test('is the first failure, is not asked, and what needs it is said to need it', async () => {
    const inside = new Inside();
    inside.work = ({ say }) => {
      say({
        event: 'check',
        result: { ...passed('rag-api'), outcome: 'failed', asked: 'GET /readyz', expected: '200', came: '503' },
      });
    };
    const engine = await engineWith(stack, inside.program);
    becomes(engine, 'dev-qdrant', { Status: 'exited', ExitCode: 143 });
    const report = await smoke(engine);

    expect(inside.plan?.targets.map(({ id }) => id)).not.toContain('qdrant');
    expect(inside.plan?.failed).toEqual(['qdrant']);
    expect(failures(report)).toMatchObject([
      { service: 'qdrant', check: 'container', came: 'exited, ended with 143' },
      { service: 'rag-api', because: ['qdrant'] },
    ]);
  });

  test('has the end of its log in the report, masked where the secrets are', async () => {
    const inside = new Inside();
    const engine = await engineWith(stack, inside.program);
    becomes(engine, 'dev-qdrant', { Status: 'exited', ExitCode: 1 });
    engine.logs.set('dev-qdrant', 'started with s3cr3t\nand hidden-here\n');
    const [failure] = failures(await smoke(engine, { secrets: ['hidden-here'] }));

    expect(failure?.logs).toEqual(['started with XXX', 'and ***']);
  });

  test('has no log in the report where neither side knows every secret that it may hold', async () => {
    const engine = await engineWith(stack, new Inside().program);
    becomes(engine, 'dev-postgres', { Status: 'exited', ExitCode: 1 });
    becomes(engine, 'dev-qdrant', { Status: 'exited', ExitCode: 1 });
    engine.logs.set('dev-postgres', 'told to nobody\n');
    engine.logs.set('dev-qdrant', 'told\n');
    const unknownSecrets = new Set(['postgres-superuser-password', 'qdrant-api-key']);
    const report = await smoke(engine, { unknownSecrets });

    const logs = new Map(failures(report).map((failure) => [failure.service, failure.logs]));
    expect(logs.get('postgres')).toBeUndefined();
    // The session that is given the API's secrets has Qdrant's key among them.
    expect(logs.get('qdrant')).toEqual(['told']);
  });
});

test('a service that crashes while it is waited for is given up inside, too', async () => {
  const inside = new Inside();
  const engine = await engineWith(stack, inside.program);
  inside.work = async ({ plan, say, heard }) => {
    say({ event: 'waiting', service: 'llm-main', for: 'the connection was refused' });
    becomes(engine, 'dev-llm-main', { Status: 'restarting', ExitCode: 78, FinishedAt: '2026-11-22T10:00:01Z' }, 4);
    await heard.call(inside, 'failed');
    for (const { id } of plan?.targets ?? []) if (id !== 'llm-main') say({ event: 'check', result: passed(id) });
  };
  const report = await smoke(engine);

  expect(inside.commands).toContainEqual({
    command: 'failed',
    service: 'llm-main',
    came: expect.stringContaining('a crash loop'),
  });
  expect(failures(report)).toMatchObject([{ service: 'llm-main', check: 'container' }]);
});

test('a health check is waited for, and fails when the time is up', async () => {
  const inside = new Inside();
  const engine = await engineWith(stack, inside.program);
  const health = { Status: 'unhealthy', Log: [{ Output: 'connection refused\n' }] };
  becomes(engine, 'dev-node-exporter', { Health: health });
  const waits: string[] = [];
  const report = await smoke(engine, {
    timeoutSeconds: 2,
    onWaiting: (waiting) => void waits.push(...waiting.values()),
  });

  expect(waits).toContain('unhealthy: connection refused');
  expect(failures(report)).toMatchObject([
    { service: 'node-exporter', check: 'container', came: 'unhealthy: connection refused' },
  ]);
});

test('what a health check prints is not told where this machine cannot mask it', async () => {
  const inside = new Inside();
  const engine = await engineWith(stack, inside.program);
  becomes(engine, 'dev-qdrant', { Health: { Status: 'unhealthy', Log: [{ Output: 'key s3cr3t refused\n' }] } });
  const report = await smoke(engine, { timeoutSeconds: 2, unknownSecrets: new Set(['qdrant-api-key']) });

  expect(failures(report)).toMatchObject([
    {
      service: 'qdrant',
      check: 'container',
      came: expect.stringMatching(/^unhealthy: what its health check prints is not shown/),
    },
  ]);
});

test('what is waited for is told without a secret, also where a part of it would have been cut off', async () => {
  const inside = new Inside();
  inside.work = async ({ plan, say }) => {
    say({ event: 'waiting', service: 'qdrant', for: 'refused hidden-here' });
    for (const { id } of plan?.targets ?? []) say({ event: 'check', result: passed(id) });
  };
  const engine = await engineWith(stack, inside.program);
  const health = (output: string) => ({ Health: { Status: 'unhealthy', Log: [{ Output: output }] } });
  becomes(engine, 'dev-node-exporter', health('with hidden-here'));
  // Masked after it was shortened, the beginning of the secret would be left.
  becomes(engine, 'dev-web-bot', health(`${'x'.repeat(195)}hidden-here`));
  const waits: string[] = [];
  const report = await smoke(engine, {
    timeoutSeconds: 2,
    secrets: ['hidden-here'],
    onWaiting: (waiting) => void waits.push(...waiting.values()),
  });

  expect(waits).toEqual(expect.arrayContaining(['refused ***', 'unhealthy: with ***']));
  expect(waits.filter((text) => text.includes('hidde'))).toEqual([]);
  expect(JSON.stringify(report)).not.toContain('hidde');
});

test('a health check that comes round is no failure', async () => {
  const inside = new Inside();
  const engine = await engineWith(stack, inside.program);
  becomes(engine, 'dev-prometheus', { Health: { Status: 'starting', Log: [] } });
  inside.work = ({ plan, say }) => {
    for (const { id } of plan?.targets ?? []) say({ event: 'check', result: passed(id) });
    becomes(engine, 'dev-prometheus', { Health: { Status: 'healthy', Log: [] } });
  };

  expect((await smoke(engine)).ok).toBe(true);
});

test('a job that failed fails', async () => {
  const inside = new Inside();
  const engine = await engineWith(stack, inside.program);
  becomes(engine, 'dev-qdrant-collections', { Status: 'exited', ExitCode: 1 });

  expect(failures(await smoke(engine))).toMatchObject([{ service: 'qdrant-collections', expected: 'ended with 0' }]);
});

test('a network that is gone is named, and the other services are asked', async () => {
  const inside = new Inside();
  const engine = await engineWith(stack, inside.program);
  engine.networks = engine.networks.filter((name) => name !== 'dev-rag-api--postgres');
  const report = await smoke(engine);

  expect(failures(report)).toMatchObject([
    { service: 'postgres', check: 'network and secrets', came: expect.stringContaining('dev-rag-api--postgres') },
  ]);
  expect(inside.plan?.targets).toHaveLength(6);
});

describe('where no single user can read every key', () => {
  const vllm = (name: string) => ({
    engine: 'vllm' as const,
    model: { name: `owner/${name}`, revision: 'a'.repeat(40) },
    gpus: { devices: ['0'] },
    maxModelLen: 4096,
  });
  const withSpare = (change: (yaml: Yaml) => void = () => {}) =>
    stackOf(
      devWith(
        (yaml) => {
          yaml.services.llm = { main: vllm('main'), spare: vllm('spare') };
          change(yaml);
        },
        { lock: undefined },
      ),
    );
  /** An engine with an inside for the apps' own user, and one for whoever else has to read a key. */
  const withInsides = (of: typeof stack, first: Inside, second?: Inside) =>
    engineWith(of, (container) => {
      const inside = container.options.User === '1000:1000' ? first : second;
      if (!inside) throw new Error('one session more than was expected');
      return inside.program(container);
    });
  const targetsIn = ({ plan }: Inside) => plan?.targets.map(({ id }) => id).sort();
  const insides = () => [new Inside(), new Inside()] as const;

  test('each key is read by a session of its user, and every service is asked once', async () => {
    const of = withSpare();
    const [first, second] = insides();
    const report = await smoke(await withInsides(of, first, second), { of });

    expect(report).toMatchObject({ ok: true, level: 'path' });
    expect(targetsIn(first)).toEqual(expect.arrayContaining(['llm-main', 'qdrant', 'postgres', 'rag-api']));
    expect(targetsIn(second)).toEqual(['llm-spare']);
    expect(second.plan?.targets[0]).toMatchObject({ keyFile: '/run/secrets/llm-spare/llm-spare-api-key' });
    expect([first.plan?.level, second.plan?.level]).toEqual(['path', 'service']);
    // Neither takes away what the other one makes.
    expect(first.plan?.run).not.toBe(second.plan?.run);
    for (const { plan } of [first, second]) {
      expect(plan?.liveRuns).toEqual(expect.arrayContaining([first.plan?.run, second.plan?.run]));
    }
  });

  test('what one of them finds not ready, the other one does not wait for', async () => {
    const of = withSpare();
    const [first, second] = insides();
    second.work = ({ say }) => {
      const result = { ...passed('llm-spare'), outcome: 'failed', asked: 'a', expected: 'b', came: '401' } as const;
      say({ event: 'check', result });
    };
    first.work = ({ heard }) => heard.call(first, 'failed');
    const report = await smoke(await withInsides(of, first, second), { of });

    expect(first.commands).toContainEqual({ command: 'failed', service: 'llm-spare', came: '401' });
    expect(second.commands.filter(({ command }) => command === 'failed')).toEqual([]);
    expect(failures(report)).toMatchObject([{ service: 'llm-spare' }]);
  });

  test('a log is masked by all of them', async () => {
    const of = withSpare();
    const [first, second] = insides();
    const engine = await withInsides(of, first, second);
    becomes(engine, 'dev-qdrant', { Status: 'exited', ExitCode: 1 });
    engine.logs.set('dev-qdrant', 'began with s3cr3t\n');
    const [failure] = failures(await smoke(engine, { of }));

    expect(failure?.logs).toEqual(['began with XXX']);
    for (const { commands } of [first, second]) expect(commands.map(({ command }) => command)).toContain('mask');
  });

  test('one that breaks off ends the other, and is no verdict', async () => {
    const of = withSpare();
    const first = new Inside();
    first.work = ({ stopped }) => stopped;
    const engine = await engineWith(of, async (container) => {
      if (container.options.User === '1000:1000') return first.program(container);
      await until('the other one is asked', () => first.plan !== undefined);
      return 137;
    });

    await expect(smoke(engine, { of })).rejects.toThrow(/SESSION_FAILED[\s\S]*ended with 137/);
    expect(engine.containers.size).toBe(0);
  });

  test('a server that serves nobody is looked at from outside, and that is no failure', async () => {
    const of = withSpare((yaml) => {
      yaml.services.prometheus = { enabled: false };
    });
    const inside = new Inside();
    const report = await smoke(await withInsides(of, inside), { of });

    expect(targetsIn(inside)).not.toContain('llm-spare');
    expect(report.notAsked).toMatchObject([{ what: 'llm-spare' }]);
    expect(failures(report)).toEqual([]);
    expect(report.checks).toContainEqual(
      expect.objectContaining({ service: 'llm-spare', check: 'container', outcome: 'passed' }),
    );
  });

  test('an embedding server of a user of its own, with which nothing is searched, is asked', async () => {
    const of = stackOf(
      devWith(
        (yaml) => {
          yaml.services.embeddings = { enabled: true, user: '3000:3000' };
          yaml.services.api.collections = { docs: { language: 'russian', dense: false } };
        },
        { lock: undefined },
      ),
    );
    const [first, second] = insides();
    const report = await smoke(await withInsides(of, first, second), { of });

    expect(failures(report)).toEqual([]);
    expect(targetsIn(second)).toEqual(['embeddings']);
  });
});

describe('a session', () => {
  const problemOf = async (running: Promise<unknown>) => {
    const error = await running.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error instanceof RagdockError) return error.problems[0];
    throw error;
  };

  test('that breaks off is no verdict', async () => {
    const engine = await engineWith(stack, ({ stderr }) => {
      stderr('expected one of rag-api, web-bot; got operator-smoke');
      return 2;
    });

    expect(await problemOf(smoke(engine))).toMatchObject({
      code: 'SESSION_FAILED',
      message: expect.stringContaining('got operator-smoke'),
    });
    expect(engine.containers.size).toBe(0);
  });

  test('that breaks off leaves what was known by then, and that it broke off', async () => {
    const result: CheckResult = { ...passed('qdrant'), outcome: 'failed', asked: 'a', expected: 'b', came: 'c' };
    const engine = await engineWith(stack, ({ stdout }) => {
      stdout(`${JSON.stringify({ event: 'check', result } satisfies SmokeEvent)}\n`);
      return 137;
    });
    const reports: SmokeReport[] = [];

    const problem = await problemOf(smoke(engine, { onBrokenOff: (report) => reports.push(report) }));

    expect(problem).toMatchObject({ code: 'SESSION_FAILED' });
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({ ok: false });
    expect(reports.flatMap(failures)).toMatchObject([
      { service: 'ragdock', check: 'came to its end', came: expect.stringContaining('ended with 137') },
      { service: 'qdrant', check: 'ready' },
    ]);
  });

  test('that says what nobody understands is no verdict', async () => {
    const engine = await engineWith(stack, async ({ stdin, stdout }) => {
      stdout('{"event":"check","result":{}}\n');
      for await (const _ of stdin);
      return 0;
    });

    expect(await problemOf(smoke(engine))).toMatchObject({ code: 'SESSION_FAILED' });
    expect(engine.containers.size).toBe(0);
  });

  test('that is interrupted is removed', async () => {
    const interrupt = new AbortController();
    const inside = new Inside();
    inside.work = () => {
      interrupt.abort(new Error('Ctrl-C'));
      return new Promise(() => undefined);
    };
    const engine = await engineWith(stack, async (container) => {
      void inside.program(container);
      await new Promise((resolve) => container.stopped.addEventListener('abort', resolve));
      return 0;
    });

    const reports: SmokeReport[] = [];
    const running = smoke(engine, { signal: interrupt.signal, onBrokenOff: (report) => reports.push(report) });
    await expect(running).rejects.toThrow('Ctrl-C');
    expect(reports).toEqual([]);
    expect(engine.containers.size).toBe(0);
  });
});

test('an engine that answers no more ends the run, and what was known by then is told', async () => {
  const inside = new Inside();
  const engine = await engineWith(stack, inside.program);
  let hangs = false;
  engine.intercept = ({ url = '' }) => hangs && url.includes('/containers/dev-') && url.endsWith('/json');
  inside.work = ({ say, stopped }) => {
    say({ event: 'check', result: passed('qdrant') });
    hangs = true;
    return stopped;
  };
  const reports: SmokeReport[] = [];

  const running = smoke(engine, { answerMs: 300, onBrokenOff: (report) => reports.push(report) });

  await expect(running).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  expect(reports.flatMap(failures)).toMatchObject([
    { service: 'ragdock', check: 'came to its end', came: expect.stringContaining('did not answer within 0.3 s') },
  ]);
  expect(engine.containers.size).toBe(0);
});

test('nothing of the stack: that is told at once, with the command', async () => {
  const engine = await engineWith(stack, () => 0);
  engine.others.length = 0;

  await expect(smoke(engine)).rejects.toThrow(/STACK_NOT_DEPLOYED[\s\S]*npx cdktf deploy dev/);
});

test('everything stopped: that is told without a session', async () => {
  const engine = await engineWith(stack, () => 0);
  const { containers } = await readInventory(await connectEngine(engine.address));
  for (const name of containers.keys()) becomes(engine, name, { Status: 'exited', ExitCode: 0 });
  const report = await smoke(engine);

  expect(failures(report).map(({ service }) => service)).toContain('qdrant');
  expect(engine.requests.some((it) => it.includes('/create'))).toBe(false);
});

describe('as far as it is asked to go', () => {
  describe('where there is no collection that a document can be brought into', () => {
    const theirs = stackOf(
      devWith((yaml) => {
        yaml.services.embeddings = { enabled: true, model: { name: 'BAAI/bge-m3' } };
        yaml.services.api.collections = { theirs: { layout: 'langchain', language: 'russian' } };
      }),
    );

    test('ends at the services, and the report says so', async () => {
      const inside = new Inside();
      const report = await smoke(await engineWith(theirs, inside.program), { of: theirs });

      expect(inside.plan?.level).toBe('service');
      expect(inside.plan?.path).not.toHaveProperty('collection');
      expect(report).toMatchObject({ ok: true, level: 'service', notAsked: [{ what: 'path' }] });
      const asked = await smoke(await engineWith(theirs, new Inside().program), { of: theirs, level: 'service' });
      expect(asked).not.toHaveProperty('notAsked');
    });

    test('refuses to go all the way', async () => {
      const engine = await engineWith(theirs, () => 0);
      await expect(smoke(engine, { of: theirs, level: 'path' })).rejects.toThrow(/USAGE[\s\S]*--question TEXT/);
    });

    test('goes all the way with a question about what is there', async () => {
      const inside = new Inside();
      const engine = await engineWith(theirs, inside.program);
      const report = await smoke(engine, { of: theirs, level: 'path', question: 'Что такое RAG?' });

      expect(inside.plan).toMatchObject({ level: 'path', path: { question: 'Что такое RAG?' } });
      expect(report).not.toHaveProperty('notAsked');
    });
  });

  test('the session is told, and the report says it', async () => {
    const inside = new Inside();
    const report = await smoke(await engineWith(stack, inside.program), { level: 'up' });

    expect(inside.plan?.level).toBe('up');
    expect(report.level).toBe('up');
  });
});

describe('the apps that run', () => {
  const withApps = async (...tags: string[]) => {
    const engine = await engineWith(stack, new Inside().program);
    engine.images = [
      { Id: 'sha256:dev-rag-api', RepoTags: tags },
      { Id: 'sha256:dev-web-bot', RepoTags: ['ragdock-apps:bbbbbbbbbbbb'] },
    ];
    return smoke(engine, { bundle: { hash: 'bbbbbbbbbbbb' } });
  };

  test('are those of this version', async () => {
    const report = await withApps('ragdock-apps:bbbbbbbbbbbb');
    expect(failures(report)).toEqual([]);
    expect(report.checks.filter(({ check }) => check === 'bundle').map(({ service }) => service)).toEqual([
      'rag-api',
      'web-bot',
    ]);
  });

  test('of another version fail, each by its name, although they answer', async () => {
    expect(failures(await withApps('ragdock-apps:aaaaaaaaaaaa'))).toMatchObject([
      {
        service: 'rag-api',
        check: 'bundle',
        expected: 'the image ragdock-apps:bbbbbbbbbbbb',
        came: 'the image ragdock-apps:aaaaaaaaaaaa, which is of another version of the apps',
      },
    ]);
  });

  test('that do not understand what they are asked are the first thing to change', async () => {
    const engine = await engineWith(stack, () => 1);
    engine.images = [];
    await expect(smoke(engine, { bundle: { hash: 'bbbbbbbbbbbb' } })).rejects.toThrow(
      /SESSION_FAILED[\s\S]*Deploy: rag-api, web-bot run another version/,
    );
  });
});

describe('the doctor', () => {
  const broken = async (diagnose: SmokeOptions['diagnose']) => {
    const engine = await engineWith(stack, new Inside().program);
    becomes(engine, 'dev-qdrant', { Status: 'exited', ExitCode: 143 });
    return smoke(engine, { ...(diagnose ? { diagnose } : {}), secrets: ['hidden-here'] });
  };

  test('is asked of what failed, and says it without a secret of either side', async () => {
    const asked: string[] = [];
    const report = await broken(async (services) => {
      asked.push(...services);
      const said = { id: 'disk-full', meaning: 'It said s3cr3t.', remedy: 'rm hidden-here' };
      return new Map([['qdrant', said]]);
    });
    expect(asked).toEqual(['qdrant']);
    expect(failures(report)[0]?.diagnosis).toEqual({ id: 'disk-full', meaning: 'It said XXX.', remedy: 'rm ***' });
    expect(report).not.toHaveProperty('doctor');
  });

  test('that fails hides no result, and its failure is told', async () => {
    const report = await broken(async () => {
      throw new RagdockError({ code: 'INTERNAL', message: 'no evidence of hidden-here' });
    });
    expect(failures(report)).toMatchObject([{ service: 'qdrant', came: 'exited, ended with 143' }]);
    expect(report.doctor).toBe('no evidence of ***');
  });

  test('is not asked while everything answers', async () => {
    const report = await smoke(await engineWith(stack, new Inside().program), {
      diagnose: () => Promise.reject(new Error('nobody asked')),
    });
    expect(report.ok).toBe(true);
  });
});
