import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { readLines } from '../../src/apps/operator/lines.js';
import { describeStack } from '../../src/operator/stack.js';
import { type Outcome, ragdock } from '../cli/terminal.js';
import { MINIMAL, project, put } from '../config/project.js';
import { engineWith } from '../operator/support/deployed-engine.js';
import { frame, type Program, type ScriptedEngine } from '../operator/support/scripted-engine.js';
import { until } from '../support/until.js';

const SECRET = 'correct-horse-battery-staple-0123456789ab';
const at = (second: number) => `2026-11-22T10:00:${String(second).padStart(2, '0')}.000000000Z`;
const row = (second: number, text: string) => frame(1, `${at(second)} ${text}\n`);

/** What the inside of a masking session does: it knows every secret that it is asked for, and writes XXX for `s3cr3t`. */
const MASKS: Program = async ({ stdin, stdout }) => {
  const secrets = ['postgres-admin-password', 'postgres-app-password', 'llm-main-api-key', 'qdrant-api-key'];
  stdout(`${JSON.stringify({ event: 'ready', secrets: [...secrets, 'rag-api-key', ...MORE] })}\n`);
  for await (const line of readLines(stdin)) {
    const { id, lines } = JSON.parse(line) as { id: number; lines: string[] };
    const masked = lines.map((it) => it.replaceAll('s3cr3t', 'XXX'));
    stdout(`${JSON.stringify({ event: 'masked', id, lines: masked })}\n`);
  }
  return 0;
};
let MORE: readonly string[] = [];

interface Deployed {
  readonly cwd: string;
  readonly engine: ScriptedEngine;
  /** What each container has written: frames as the engine sends them, by the container's id. */
  readonly written: Map<string, Buffer[]>;
  /** Logs that are being followed, by the container's id. */
  readonly followed: Map<string, ServerResponse>;
}

/** A project that is deployed; this machine knows its secrets unless it is told otherwise. */
async function deployed({ secrets = true, program = MASKS } = {}): Promise<Deployed> {
  const cwd = project({ 'dev.yaml': MINIMAL });
  await ragdock(['lock', 'dev'], { cwd });
  const stack = describeStack('dev', cwd);
  MORE = Object.keys(stack.topology.lock.secrets);
  const engine = await engineWith(stack, program);
  put(cwd, 'config/environments/dev.yaml', `${MINIMAL}host:\n  docker: ${engine.address}\n`);
  if (secrets) {
    expect((await ragdock(['secrets', 'init', 'dev'], { cwd })).exit).toBe(0);
    put(cwd, '.ragdock/secrets/dev/qdrant-api-key.v2', SECRET);
  }
  for (const [name, state] of engine.states) describeContainer(engine, name, name, state);
  const written = new Map<string, Buffer[]>();
  const followed = new Map<string, ServerResponse>();
  engine.intercept = ({ url = '' }, response) => {
    const [, id = '', query = ''] = /^\/containers\/([^/]+)\/logs\?(.*)$/.exec(url) ?? [];
    if (id === '') return false;
    const asked = new URLSearchParams(query);
    response.writeHead(200);
    if (asked.get('tail') !== '0') for (const piece of written.get(id) ?? []) response.write(piece);
    response.flushHeaders();
    if (['true', '1'].includes(asked.get('follow') ?? '')) followed.set(id, response);
    else response.end();
    return true;
  };
  return { cwd, engine, written, followed };
}

function describeContainer(engine: ScriptedEngine, name: string, Id: string, state: object = {}): void {
  engine.states.set(name, { ...state, Id, Config: { Labels: { 'ragdock.environment': 'dev' } } });
}

const requestsFor = ({ engine }: Deployed, id: string) =>
  engine.requests
    .filter((request) => request.includes(`/containers/${id}/logs?`))
    .map((request) => new URLSearchParams(request.split('?')[1]));

describe('reading', () => {
  test('merges the services by time, each line behind its service’s name', async () => {
    const it = await deployed();
    it.written.set('dev-qdrant', [row(1, 'one'), row(3, 'three')]);
    it.written.set('dev-rag-api', [row(2, 'two \u001b[2J')]);
    it.written.set('dev-qdrant-collections', [row(2, 'of a job')]);

    expect(await ragdock(['logs', 'dev'], { cwd: it.cwd })).toEqual({
      exit: 0,
      stdout: 'qdrant        | one\nrag-api       | two [2J\nqdrant        | three\n',
      stderr: '',
    });
    expect(requestsFor(it, 'dev-qdrant')[0]?.get('tail')).toBe('100');
    expect(it.engine.requests.filter((request) => !request.startsWith('GET '))).toEqual([]);
  });

  test('names services and jobs, with times', async () => {
    const it = await deployed();
    it.written.set('dev-qdrant-collections', [row(2, 'of a job')]);

    expect((await ragdock(['logs', 'dev', 'qdrant-collections', '--timestamps'], { cwd: it.cwd })).stdout).toBe(
      `qdrant-collections | ${at(2)} of a job\n`,
    );
  });

  test('colours the name of a service where colours are wanted', async () => {
    const it = await deployed();
    it.written.set('dev-qdrant', [row(1, 'one')]);
    const { stdout } = await ragdock(['logs', 'dev', 'qdrant'], { cwd: it.cwd, colour: true });

    expect(stdout.replaceAll('\u001b', '')).toMatch(/^\[3\dmqdrant\[39m \| one\n$/);
  });

  test('asks for lines since a time, and then for all of them', async () => {
    const it = await deployed();
    it.engine.now = () => new Date('2026-11-22T10:10:00Z');
    await ragdock(['logs', 'dev', 'qdrant', '--since', '10m'], { cwd: it.cwd });
    await ragdock(['logs', 'dev', 'qdrant', '--since', at(7), '--tail', '5'], { cwd: it.cwd });

    expect(requestsFor(it, 'dev-qdrant').map((asked) => [asked.get('since'), asked.get('tail')])).toEqual([
      ['1795341600.000', null],
      ['1795341607.000', '5'],
    ]);
  });

  test.each([
    [['qdrnt'], "dev has no service 'qdrnt'; did you mean 'qdrant'?"],
    [['--since', 'yesterday'], 'expected 30s, 10m, 2h, 1d'],
    [['--tail', 'many'], 'expected a whole number'],
  ])('%j is a wrong input', async (args, message) => {
    const { cwd } = await deployed();
    const { exit, stderr } = await ragdock(['logs', 'dev', ...args], { cwd });

    expect([exit, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test('tells which containers are not there; with none it is not deployed', async () => {
    const it = await deployed();
    it.written.set('dev-qdrant', [row(1, 'one')]);
    it.engine.states.delete('dev-rag-api');
    describeContainer(it.engine, 'dev-web-bot', 'dev-web-bot');
    it.engine.states.set('dev-web-bot', { Id: 'w', Config: { Labels: {} } });
    const args = ['logs', 'dev', 'qdrant', 'rag-api', 'web-bot'];

    expect(await ragdock(args, { cwd: it.cwd })).toEqual({
      exit: 0,
      stdout: 'qdrant  | one\n',
      stderr: 'rag-api: there is no container dev-rag-api\nweb-bot: there is no container dev-web-bot\n',
    });
    it.engine.states.clear();
    expect(await ragdock(args, { cwd: it.cwd })).toMatchObject({ exit: 3, stdout: '' });
  });
});

describe('masking', () => {
  test('hides a value of the store, an old version too, also one that the engine cut into two messages', async () => {
    const it = await deployed();
    it.written.set('dev-qdrant', [
      row(1, `key ${SECRET} key`),
      frame(1, `${at(2)} begins ${SECRET.slice(0, 20)}`),
      frame(1, `${at(3)} ${SECRET.slice(20)} ends\n`),
    ]);
    const { stdout } = await ragdock(['logs', 'dev', 'qdrant'], { cwd: it.cwd });

    expect(stdout).toBe('qdrant | key *** key\nqdrant | begins *** ends\n');
  });

  test('where this machine knows no value, a session that reaches nothing masks; it is gone afterwards', async () => {
    const it = await deployed({ secrets: false });
    it.written.set('dev-qdrant', [row(1, 'a s3cr3t'), row(2, 'and Bearer 0123456789abcdef')]);
    const created: string[] = [];
    const { intercept } = it.engine;
    it.engine.intercept = (request, response) => {
      if (request.url?.startsWith('/containers/create')) created.push(request.url);
      return intercept(request, response);
    };
    const { exit, stdout } = await ragdock(['logs', 'dev', 'qdrant'], { cwd: it.cwd });

    expect([exit, stdout]).toEqual([0, 'qdrant | a XXX\nqdrant | and Bearer ***\n']);
    expect(created.length).toBeGreaterThan(0);
    expect(created.every((url) => url.includes('dev-operator-mask-'))).toBe(true);
    expect(it.engine.containers.size).toBe(0);
  });

  test.each<[string, Program]>([
    [
      'an older version of the apps',
      ({ stderr }) => {
        stderr('expected one of rag-api; got operator-mask');
        return 2;
      },
    ],
    [
      'volumes without the values',
      async ({ stdin, stdout }) => {
        stdout('{"event":"ready","secrets":[]}\n');
        for await (const _ of stdin);
        return 0;
      },
    ],
  ])(
    'where the stack cannot mask either (%s), nothing is printed unless somebody takes the risk',
    async (_, program) => {
      const it = await deployed({ secrets: false, program });
      it.written.set('dev-qdrant', [row(1, 'a s3cr3t, password=abcdefgh')]);
      const refused = await ragdock(['logs', 'dev', 'qdrant'], { cwd: it.cwd });

      expect(refused).toMatchObject({ exit: 2, stdout: '' });
      expect(refused.stderr).toMatch(/^LOGS_UNMASKABLE {2}dev\n {4}this machine does not know .*qdrant-api-key/);
      const risked = await ragdock(['logs', 'dev', 'qdrant', '--allow-unmasked'], { cwd: it.cwd });
      expect(risked).toMatchObject({ exit: 0, stdout: 'qdrant | a s3cr3t, password=***\n' });
      expect(risked.stderr).toMatch(/^secrets may be printed: /);
      expect(it.engine.containers.size).toBe(0);
    },
  );

  test('a stored value that is not the promised one is not known', async () => {
    const it = await deployed({ program: () => 1 });
    put(it.cwd, '.ragdock/secrets/dev/qdrant-api-key.v1', 'another-value-than-the-promised-one');
    const { exit, stderr } = await ragdock(['logs', 'dev', 'qdrant'], { cwd: it.cwd });

    expect([exit, stderr]).toEqual([2, expect.stringContaining('this machine does not know qdrant-api-key, and')]);
  });

  test('a value that a machine made for itself is known where that machine deployed', async () => {
    const it = await deployed({ secrets: false, program: () => 1 });
    put(
      it.cwd,
      'config/environments/dev.yaml',
      `${MINIMAL}host:\n  docker: ${it.engine.address}\nsecrets:\n  shared: false\n`,
    );
    expect((await ragdock(['lock', 'dev'], { cwd: it.cwd })).exit).toBe(0);
    expect((await ragdock(['secrets', 'init', 'dev'], { cwd: it.cwd })).exit).toBe(0);

    expect(await ragdock(['logs', 'dev', 'qdrant'], { cwd: it.cwd })).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('LOGS_UNMASKABLE'),
    });
    put(it.cwd, 'state/dev.tfstate', '{}');
    expect(await ragdock(['logs', 'dev', 'qdrant'], { cwd: it.cwd })).toMatchObject({ exit: 0, stderr: '' });
  });

  test('a session that breaks off prints nothing more', async () => {
    const it = await deployed({
      secrets: false,
      program: async ({ stdin, stdout }) => {
        stdout(`${JSON.stringify({ event: 'ready', secrets: MORE })}\n`);
        for await (const _ of readLines(stdin)) return 137;
        return 0;
      },
    });
    it.written.set('dev-qdrant', [row(1, 'a s3cr3t')]);

    expect(await ragdock(['logs', 'dev', 'qdrant'], { cwd: it.cwd })).toMatchObject({
      exit: 3,
      stdout: '',
      stderr: expect.stringContaining('the session that masks broke off: it ended with 137'),
    });
  });
});

describe('following', () => {
  /** `ragdock logs dev qdrant rag-api --follow`, until the test ends it. */
  function follow({ cwd }: Deployed, ...options: string[]) {
    const interrupt = new AbortController();
    const ended = ragdock(['logs', 'dev', 'qdrant', 'rag-api', '--follow', ...options], {
      cwd,
      signal: interrupt.signal,
    });
    return {
      async stop(): Promise<Outcome> {
        interrupt.abort();
        return ended;
      },
    };
  }
  const isFollowed = ({ followed }: Deployed, id: string) => until(`${id} is followed`, () => followed.has(id));
  const settled = () => new Promise((resolve) => setTimeout(resolve, 400));

  test('shows what was written and what comes, in the order of the times, and ends with 130', async () => {
    const it = await deployed();
    it.written.set('dev-qdrant', [row(1, 'before')]);
    const logs = follow(it);
    await isFollowed(it, 'dev-qdrant');
    await isFollowed(it, 'dev-rag-api');
    it.followed.get('dev-rag-api')?.write(row(5, 'later'));
    it.followed.get('dev-qdrant')?.write(row(4, `key ${SECRET.slice(0, 9)}`).subarray(0, -1));
    it.followed.get('dev-qdrant')?.write('');
    await settled();
    const { exit, stdout, stderr } = await logs.stop();

    expect({ exit, stderr }).toEqual({ exit: 130, stderr: '' });
    expect(stdout).toBe('qdrant  | before\nrag-api | later\n');
  });

  test('goes on behind the line that it read last, when the container was started again', async () => {
    const it = await deployed();
    it.written.set('dev-qdrant', [row(1, 'one')]);
    const logs = follow(it);
    await isFollowed(it, 'dev-qdrant');
    const first = it.followed.get('dev-qdrant');
    it.written.set('dev-qdrant', [row(1, 'one'), row(2, 'two'), row(3, 'three')]);
    it.followed.delete('dev-qdrant');
    first?.end(row(2, 'two'));
    await isFollowed(it, 'dev-qdrant');
    await settled();
    const { exit, stdout } = await logs.stop();

    expect([exit, stdout]).toEqual([130, 'qdrant  | one\nqdrant  | two\nqdrant  | three\n']);
    expect(requestsFor(it, 'dev-qdrant').at(-1)?.get('since')).toBe('1795341602.000000000');
  });

  test('picks up the container that takes the place of another, from its first line', async () => {
    const it = await deployed();
    const logs = follow(it, '--tail', '0');
    await isFollowed(it, 'dev-qdrant');
    const state = it.engine.states.get('dev-qdrant');
    it.engine.states.delete('dev-qdrant');
    it.followed.get('dev-qdrant')?.end();
    await settled();
    it.written.set('second', [row(2, 'the second one')]);
    describeContainer(it.engine, 'dev-qdrant', 'second', state);
    await isFollowed(it, 'second');
    await settled();

    expect((await logs.stop()).stdout).toBe('qdrant  | the second one\n');
    expect(requestsFor(it, 'second')[0]?.get('since')).toBeNull();
  });

  test('Ctrl-C takes the session that masks with it', async () => {
    const it = await deployed({ secrets: false });
    it.written.set('dev-qdrant', [row(1, 'a s3cr3t')]);
    const logs = follow(it);
    await isFollowed(it, 'dev-rag-api');
    expect(it.engine.containers.size).toBeGreaterThan(0);
    const { exit, stdout, stderr } = await logs.stop();

    expect({ exit, stdout, stderr }).toEqual({ exit: 130, stdout: 'qdrant  | a XXX\n', stderr: '' });
    expect(it.engine.containers.size).toBe(0);
  });

  test('an engine that goes away is told, with exit code 3', async () => {
    const it = await deployed();
    const ended = ragdock(['logs', 'dev', 'qdrant', '--follow'], { cwd: it.cwd });
    await isFollowed(it, 'dev-qdrant');
    it.followed.get('dev-qdrant')?.destroy();

    expect(await ended).toMatchObject({ exit: 3, stderr: expect.stringMatching(/^ENGINE_UNREACHABLE/) });
  });
});
