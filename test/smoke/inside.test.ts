import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { SmokeEvent, SmokePlan, TargetOf } from '../../src/apps/operator/smoke/protocol.js';
import { operatorSmoke } from '../../src/apps/operator/smoke.js';
import { json, ScriptedServer } from '../support/http-server.js';
import { until } from '../support/until.js';
import { secretFile } from './support/secret-file.js';

const PLAN: SmokePlan = {
  run: '20261122t100000z-aaaaaa',
  liveRuns: [],
  timeoutSeconds: 10,
  level: 'path',
  targets: [],
  failed: ['qdrant'],
  path: { needs: ['qdrant', 'rag-api'], collection: 'BD_curs_data', course: 'demo', answerSeconds: 5 },
};

/** The inside of a session, with its two ends in the hands of the test. */
function start(plan: SmokePlan) {
  const input = new PassThrough();
  const events: SmokeEvent[] = [];
  const terminated = new AbortController();
  const ended = operatorSmoke(
    input,
    (text) => {
      for (const line of text.trim().split('\n')) events.push(JSON.parse(line));
    },
    terminated.signal,
  );
  const tell = (command: object) => void input.write(`${JSON.stringify(command)}\n`);
  tell(plan);
  const done = () => events.some(({ event }) => event === 'done');
  const results = () => events.flatMap((event) => (event.event === 'check' ? [event.result] : []));
  return { input, events, terminated, ended, tell, done, results };
}

const api = (url: string): TargetOf<'rag-api'> => ({
  kind: 'rag-api',
  id: 'rag-api',
  needs: ['qdrant'],
  url,
  keyFile: secretFile('the-key-of-the-api'),
});

test('every service is asked, the path is not walked on broken ground, and then it waits for its input to end', async () => {
  const server = await ScriptedServer.start((request, response) => {
    if (request.path === '/readyz') return json(response, 200, { ready: true });
    const known = request.headers.authorization === 'Bearer the-key-of-the-api';
    return json(response, known ? 404 : 401, {});
  });
  try {
    const session = start({ ...PLAN, targets: [{ ...api(server.url), needs: [] }] });
    await until('it is done', session.done);

    expect(session.results().map(({ check, outcome }) => `${check} ${outcome}`)).toEqual([
      'ready passed',
      'refuses a wrong key passed',
      'takes its key passed',
      'the whole path skipped',
    ]);
    session.input.end();
    expect(await session.ended).toBe(0);
  } finally {
    await server.close();
  }
});

describe('what it is told on the way', () => {
  test('a container that has failed is not waited for any longer', async () => {
    const server = await ScriptedServer.start((_, response) => json(response, 503, {}));
    try {
      const session = start({ ...PLAN, failed: [], targets: [{ ...api(server.url), needs: [] }] });
      await until('it waits', () => session.events.some(({ event }) => event === 'waiting'));
      session.tell({ command: 'failed', service: 'rag-api', came: 'a crash loop' });
      await until('it is done', session.done);

      expect(session.results()[0]).toMatchObject({ check: 'ready', outcome: 'failed', came: 'a crash loop' });
      session.input.end();
      await session.ended;
    } finally {
      await server.close();
    }
  });

  test('a log comes back without the secrets that it was given', async () => {
    const session = start({ ...PLAN, targets: [api('http://127.0.0.1:1')] });
    await until('it is done', session.done);
    session.tell({ command: 'mask', id: 3, text: 'refused the-key-of-the-api' });
    await until('it answers', () => session.events.some(({ event }) => event === 'masked'));

    expect(session.events).toContainEqual({ event: 'masked', id: 3, text: 'refused ***' });
    session.input.end();
    await session.ended;
  });

  test('an answer that repeats its key is told without it', async () => {
    const server = await ScriptedServer.start((request, response) => {
      if (request.path === '/readyz') return json(response, 200, { ready: true });
      return json(response, 401, { error: `unknown key ${request.headers.authorization}` });
    });
    try {
      const session = start({ ...PLAN, targets: [{ ...api(server.url), needs: [] }] });
      await until('it is done', session.done);

      expect(JSON.stringify(session.events)).toContain('unknown key');
      expect(JSON.stringify(session.events)).not.toContain('the-key-of-the-api');
      session.input.end();
      await session.ended;
    } finally {
      await server.close();
    }
  });

  test.each([
    ['its input ends', ({ input }: ReturnType<typeof start>) => void input.end()],
    ['it is told to end', ({ terminated }: ReturnType<typeof start>) => terminated.abort()],
  ])('it stops in the middle when %s', async (_, stop) => {
    const silent = await ScriptedServer.start(() => undefined);
    try {
      const session = start({ ...PLAN, failed: [], targets: [{ ...api(silent.url), needs: [] }], timeoutSeconds: 600 });
      await until('it asks', () => silent.requests.length > 0);
      stop(session);

      expect(await session.ended).toBe(0);
      expect(session.results()[0]).toMatchObject({ check: 'ready', outcome: 'failed' });
      session.input.destroy();
    } finally {
      await silent.close();
    }
  });
});

test('a plan that it does not understand is refused', async () => {
  const input = new PassThrough();
  input.end('{"run":"r"}\n');

  await expect(operatorSmoke(input, () => undefined, new AbortController().signal)).rejects.toThrow();
  if (!input.destroyed) await once(input, 'close');
});
