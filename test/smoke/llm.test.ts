import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CheckFailure } from '../../src/apps/operator/smoke/check.js';
import { llmChecks } from '../../src/apps/operator/smoke/llm.js';
import { ROOT } from '../support/environments.js';
import { type Handler, json, ScriptedServer } from '../support/http-server.js';
import { answering, events, openStream, stalling, streaming } from '../support/openai-script.js';
import { secretFile } from './support/secret-file.js';
import { failureOf } from './support/verdict.js';

const KEY = 'the-key-of-the-model';

let server: ScriptedServer;

beforeEach(async () => {
  server = await ScriptedServer.start(guarded(answering('Бе', 'лый')));
});

afterEach(() => server.close());

/** A server that lists its model, wants its key, and answers a chat so. */
function guarded(chat: Handler): Handler {
  return (request, response) => {
    if (request.path === '/v1/models') return json(response, 200, { data: [{ id: 'saiga' }] });
    if (request.headers.authorization !== `Bearer ${KEY}`) return json(response, 401, { error: 'Unauthorized' });
    return chat(request, response);
  };
}

const checks = () =>
  llmChecks({
    kind: 'llm',
    id: 'llm-main',
    needs: [],
    url: server.url,
    keyFile: secretFile(KEY),
    model: 'saiga',
    completes: true,
  });
const ready = (signal = AbortSignal.timeout(5000)) => checks().ready(signal);

function check(name: string, signal = AbortSignal.timeout(5000)): Promise<void> {
  const found = checks().checks.find((it) => it.name === name);
  if (!found) throw new Error(`there is no check '${name}'`);
  return found.run(signal);
}
const streams = (chat: Handler, signal?: AbortSignal) => {
  server.handler = guarded(chat);
  return failureOf(check('streams an answer', signal));
};

test('a server without a key is asked without one, and not whether it refuses another', async () => {
  server.handler = (request, response) => {
    if (request.headers.authorization !== undefined) return json(response, 400, { error: 'a key nobody asked for' });
    if (request.path === '/v1/models') return json(response, 200, { data: [{ id: 'saiga' }] });
    return answering('Бе', 'лый')(request, response);
  };
  const open = llmChecks({ kind: 'llm', id: 'llm-main', needs: [], url: server.url, model: 'saiga', completes: false });

  await open.ready(AbortSignal.timeout(5000));
  expect(open.checks.map(({ name }) => name)).toEqual(['streams an answer']);
  await open.checks[0]?.run(AbortSignal.timeout(5000));
});

test('a server that answers passes', async () => {
  await ready();
  await check('refuses a wrong key');
  await check('streams an answer');
});

describe('a text', () => {
  const completing = (answer: object | Handler): void => {
    server.handler = guarded((request, response) =>
      typeof answer === 'function' ? answer(request, response) : json(response, 200, answer),
    );
  };

  test('with a token and its end passes, as vLLM sends it', async () => {
    const recorded = readFileSync(join(ROOT, 'test/recordings/vllm/all-exchanges.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"path": "/v1/completions"'))
      .map((line) => JSON.parse(line) as { status: number; response?: { choices?: readonly object[] } })
      .find(({ status, response }) => status === 200 && (response?.choices?.length ?? 0) > 0);
    expect(recorded).toBeDefined();
    completing(recorded?.response ?? {});
    await check('completes a text');
    const [asked] = server.requests.filter(({ path }) => path === '/v1/completions');
    expect(JSON.parse(asked?.body ?? '{}')).toMatchObject({ model: 'saiga', prompt: expect.any(String) });
  });

  test.each([
    ['nothing in it', { choices: [{ text: '', finish_reason: 'stop' }] }],
    ['no end', { choices: [{ text: ' снег', finish_reason: null }] }],
    ['no choice', { choices: [] }],
    ['something else', { ok: true }],
  ])('with %s fails', async (_, answer) => {
    completing(answer);
    expect((await failureOf(check('completes a text'))).finding).toMatchObject({
      asked: `POST ${server.url}/v1/completions`,
      came: expect.stringContaining('200 {'),
    });
  });

  test('that never comes fails with that', async () => {
    completing((() => undefined) as Handler);
    const failure = await failureOf(check('completes a text', AbortSignal.timeout(300)));
    expect(failure.finding.came).toContain('nothing in time');
  });
});

describe('is not ready', () => {
  test('while it loads its model', async () => {
    server.handler = (_, response) => json(response, 503, { error: { message: 'Loading model' } });
    const failure = await failureOf(ready());

    expect(failure.finding).toMatchObject({
      asked: `GET ${server.url}/v1/models`,
      came: expect.stringContaining('503 {"error":{"message":"Loading model"}}'),
    });
    expect(failure.final).toBe(false);
  });

  test('with another model', async () => {
    server.handler = (_, response) => json(response, 200, { data: [{ id: 'other' }] });

    expect((await failureOf(ready())).finding).toMatchObject({
      expected: 'a list with saiga',
      came: 'a list of other',
    });
  });

  test('and never will be, with a wrong key', async () => {
    server.handler = (_, response) => json(response, 401, { error: 'Unauthorized' });

    expect(await failureOf(ready())).toMatchObject({ final: true });
  });
});

test('a server that takes any key fails', async () => {
  server.handler = answering('да');

  expect((await failureOf(check('refuses a wrong key'))).finding).toMatchObject({ expected: '401', came: '200' });
});

describe('an answer is none', () => {
  const came = async (failure: Promise<CheckFailure>) => (await failure).finding.came;

  test('with [DONE] alone', async () => {
    expect(await came(streams(streaming(events.done())))).toBe('200, [DONE], and no token');
  });

  test('with nothing at all', async () => {
    expect(await came(streams(streaming()))).toBe('200, an end, and no token');
  });

  test('with empty tokens and a finish_reason', async () => {
    const empty = streaming(events.role(), events.text(''), events.finish(), events.done());
    expect(await came(streams(empty))).toBe('200, [DONE], and no token');
  });

  test('with tokens and no finish_reason', async () => {
    expect(await came(streams(streaming(events.text('да'), events.done())))).toBe(
      '1 tokens, [DONE], and no finish_reason',
    );
  });

  test('with an error in the middle, although [DONE] follows', async () => {
    const broken = streaming(events.role(), events.text('да'), events.error('EngineCore died'), events.done());
    expect(await came(streams(broken))).toContain('EngineCore died');
  });

  test('with a connection that breaks', async () => {
    const breaking: Handler = (_, response) => {
      openStream(response);
      response.write(events.text('да'), () => response.destroy());
    };
    expect(await came(streams(breaking))).toContain('after 1 tokens: ');
  });

  test('with silence', async () => {
    const failure = await streams(stalling(events.role()), AbortSignal.timeout(300));
    expect(failure.finding.came).toContain('nothing in time');
  });

  test('with a refusal', async () => {
    const busy: Handler = (_, response) => json(response, 503, { error: { message: 'busy' } });
    expect(await came(streams(busy))).toContain('503 {"error":{"message":"busy"}}');
  });
});

describe('what real servers sent', () => {
  const sent = (path: string): Handler => {
    const body = readFileSync(join(ROOT, 'test/recordings', path));
    return (_, response) => {
      openStream(response);
      response.end(body);
    };
  };

  test.each(['vllm/sse/chat_stream.sse', 'vllm/sse/chat_stream_usage.sse', 'llama-cpp/chat_stream.sse'])(
    'to the end passes: %s',
    async (path) => {
      server.handler = guarded(sent(path));
      await check('streams an answer');
    },
  );

  test('to a client that left fails', async () => {
    server.handler = guarded(sent('vllm/sse/chat_stream_client_reset.sse'));
    expect((await failureOf(check('streams an answer'))).finding.came).toContain('no finish_reason');
  });
});
