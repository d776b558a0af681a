import { once } from 'node:events';
import type Docker from 'dockerode';
import { describe, expect, test } from 'vitest';
import { connectEngine } from '../../src/operator/docker.js';
import { newRun, runSession, type SessionTalk, sweepSessions } from '../../src/operator/session.js';
import type { SessionPlan } from '../../src/operator/session-plan.js';
import { until } from '../support/until.js';
import { type Program, ScriptedEngine, textOf } from './support/scripted-engine.js';

const PLAN: SessionPlan = {
  container: { name: 'dev-operator-ask-r1', Image: 'i', OpenStdin: true, HostConfig: { AutoRemove: true } },
  furtherNetworks: ['dev-b', 'dev-c'],
};

async function engineWith(program: Program): Promise<{ engine: ScriptedEngine; docker: Docker }> {
  const engine = await ScriptedEngine.start(program);
  return { engine, docker: await connectEngine(engine.address) };
}

const talk = (changes: Partial<SessionTalk> = {}): SessionTalk => ({
  input: [],
  onLine: () => undefined,
  signal: new AbortController().signal,
  deadlineSeconds: 20,
  ...changes,
});

/** What ends with 0 when its input ends. */
const reading: Program = async ({ stdin }) => {
  await textOf(stdin);
  return 0;
};

/** What never ends by itself. */
const hanging: Program = async ({ stopped }) => {
  await once(stopped, 'abort');
  return 143;
};

describe('a session', () => {
  test('is given its input to the end, and tells its lines, its last words and its exit code', async () => {
    const { engine, docker } = await engineWith(async ({ stdin, stdout, stderr }) => {
      const input = await textOf(stdin);
      stdout(`{"read":${input.length}}\n{"or`);
      stdout('der":2}\n');
      stderr('не всё хорошо');
      return 7;
    });
    const lines: string[] = [];
    const outcome = await runSession(
      docker,
      PLAN,
      talk({ input: ['a'.repeat(300_000), '\n'], onLine: (line) => void lines.push(line) }),
    );

    expect(lines).toEqual(['{"read":300001}', '{"order":2}']);
    expect(outcome).toEqual({ exitCode: 7, diagnostics: 'не всё хорошо' });
    expect(engine.containers.size).toBe(0);
  });

  test('is on all of its networks before it starts', async () => {
    const { engine, docker } = await engineWith(reading);
    await runSession(docker, PLAN, talk());
    const order = engine.requests.filter((request) => /connect|start/.test(request));

    expect(order).toEqual([
      'POST /networks/dev-b/connect',
      'POST /networks/dev-c/connect',
      'POST /containers/c1/start',
    ]);
  });

  test('is waited for before it starts: one that removes itself cannot be asked afterwards', async () => {
    const { engine, docker } = await engineWith(() => 3);

    expect(await runSession(docker, PLAN, talk())).toMatchObject({ exitCode: 3 });
    expect(engine.requests.findIndex((it) => it.includes('/wait'))).toBeLessThan(
      engine.requests.findIndex((it) => it.includes('/start')),
    );
  });

  test('that ends before it has read everything still tells why', async () => {
    const { docker } = await engineWith(({ stderr }) => {
      stderr('there is no such collection');
      return 2;
    });
    function* endless() {
      for (;;) yield 'x'.repeat(100_000);
    }

    expect(await runSession(docker, PLAN, talk({ input: endless() }))).toEqual({
      exitCode: 2,
      diagnostics: 'there is no such collection',
    });
  });

  test('is not fed faster than it reads', async () => {
    let given = 0;
    function* counted() {
      for (; given < 10_000; given += 1) yield 'x'.repeat(10_000);
    }
    const { docker } = await engineWith(async ({ stdin }) => {
      await once(stdin, 'readable');
      return 0;
    });
    await runSession(docker, PLAN, talk({ input: counted() }));

    expect(given).toBeLessThan(5000);
  });
});

describe('a session is removed', () => {
  test('when it is interrupted', async () => {
    const { engine, docker } = await engineWith(hanging);
    const interrupt = new AbortController();
    const running = runSession(docker, PLAN, talk({ signal: interrupt.signal }));
    await until('the session runs', () => engine.requests.some((it) => it.includes('/start')));
    interrupt.abort(new Error('Ctrl-C'));

    await expect(running).rejects.toThrow('Ctrl-C');
    expect(engine.containers.size).toBe(0);
    expect(engine.requests.some((it) => it.includes('/stop'))).toBe(false);
  });

  test('when it is interrupted, after it has cleaned up behind itself', async () => {
    let cleaned = false;
    const { engine, docker } = await engineWith(async ({ stopped }) => {
      await once(stopped, 'abort');
      cleaned = stopped.reason === 'SIGTERM';
      return 0;
    });
    const interrupt = new AbortController();
    const running = runSession(docker, PLAN, talk({ signal: interrupt.signal, cleanupSeconds: 5 }));
    await until('the session runs', () => engine.requests.some((it) => it.includes('/start')));
    interrupt.abort(new Error('Ctrl-C'));

    await expect(running).rejects.toThrow('Ctrl-C');
    expect(cleaned).toBe(true);
    expect(engine.containers.size).toBe(0);
  });

  test.each(['SIGTERM', 'SIGHUP'] as const)('when this process is told to end by %s', async (name) => {
    const { engine, docker } = await engineWith(hanging);
    const before = process.listenerCount(name);
    const running = runSession(docker, PLAN, talk());
    await until('the session runs', () => engine.requests.some((it) => it.includes('/start')));
    process.emit(name, name);

    await expect(running).rejects.toThrow(name);
    expect(engine.containers.size).toBe(0);
    expect(process.listenerCount(name)).toBe(before);
  });

  test('when it outlives its deadline', async () => {
    const { engine, docker } = await engineWith(hanging);

    await expect(runSession(docker, PLAN, talk({ deadlineSeconds: 0.2 }))).rejects.toThrow('did not end within 0.2 s');
    expect(engine.containers.size).toBe(0);
  });

  test('when its input breaks', async () => {
    const { engine, docker } = await engineWith(hanging);
    // biome-ignore lint/correctness/useYield: it breaks before it has anything to give
    function* broken(): Generator<string> {
      throw new Error('the file is gone');
    }

    await expect(runSession(docker, PLAN, talk({ input: broken() }))).rejects.toThrow('the file is gone');
    expect(engine.containers.size).toBe(0);
  });

  test('when what it says is not understood', async () => {
    const { engine, docker } = await engineWith(async ({ stdout, ...rest }) => {
      stdout('nonsense\n');
      return hanging({ stdout, ...rest });
    });
    const onLine = () => {
      throw new Error('not understood');
    };

    await expect(runSession(docker, PLAN, talk({ onLine }))).rejects.toThrow('not understood');
    expect(engine.containers.size).toBe(0);
  });

  test('when it cannot be connected', async () => {
    const { engine, docker } = await engineWith(reading);
    engine.intercept = (request, response) => {
      if (!request.url?.startsWith('/networks/dev-c/')) return false;
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"network dev-c not found"}');
      return true;
    };

    await expect(runSession(docker, PLAN, talk())).rejects.toThrow('network dev-c not found');
    expect(engine.containers.size).toBe(0);
  });

  test('not even made when the interruption came first', async () => {
    const { engine, docker } = await engineWith(reading);

    await expect(runSession(docker, PLAN, talk({ signal: AbortSignal.abort(new Error('Ctrl-C')) }))).rejects.toThrow(
      'Ctrl-C',
    );
    expect(engine.requests).not.toContainEqual(expect.stringContaining('/create'));
  });
});

test('sees the end of its input when its starter is gone', async () => {
  let ended = false;
  const { engine, docker } = await engineWith(async ({ stdin }) => {
    await textOf(stdin).catch(() => undefined);
    ended = true;
    return 0;
  });
  // What a killed process leaves: a container with nobody attached. The rest of the session is not run.
  const container = await docker.createContainer(PLAN.container);
  const output = await container.attach({ stream: true, stdout: true, stderr: true });
  const input = await container.attach({ stream: true, stdin: true, hijack: true });
  await container.start();
  (output as unknown as { destroy(): void }).destroy();
  (input as unknown as { destroy(): void }).destroy();

  await until('the session ended', () => ended && engine.containers.size === 0);
});

describe('leftovers', () => {
  const session = (id: string, ageSeconds: number, deadline: number) => ({
    Id: id,
    Names: [`/${id}`],
    Created: Date.parse('2026-11-22T10:00:00Z') / 1000 - ageSeconds,
    Labels: {
      'ragdock.environment': 'dev',
      'ragdock.session': 'ask',
      'ragdock.session.run': `run-${id}`,
      'ragdock.session.deadline': String(deadline),
    },
  });

  test('are sessions that are older than anybody waits, by the engine’s own clock', async () => {
    const { engine, docker } = await engineWith(reading);
    engine.now = () => new Date('2026-11-22T10:00:00Z');
    engine.others.push(session('young', 90, 100), session('old', 200, 100), session('long', 200, 3600));

    expect(await sweepSessions(docker, 'dev')).toEqual(['run-young', 'run-long']);
    expect(engine.others.map(({ Id }) => Id)).toEqual(['young', 'long']);
  });

  test('are looked for in this environment alone', async () => {
    const { engine, docker } = await engineWith(reading);
    await sweepSessions(docker, 'dev');
    const [list] = engine.requests.filter((it) => it.includes('/containers/json'));

    expect(decodeURIComponent(list ?? '')).toContain('ragdock.environment=dev');
  });
});

test('runs sort by the time they began, and two of one moment differ', () => {
  const first = newRun(new Date('2026-11-22T09:59:59Z'));
  const second = newRun(new Date('2026-11-22T10:00:00Z'));

  expect(first).toMatch(/^20261122t095959z-[0-9a-f]{6}$/);
  expect(first < second).toBe(true);
  expect(newRun(new Date(0))).not.toBe(newRun(new Date(0)));
});
