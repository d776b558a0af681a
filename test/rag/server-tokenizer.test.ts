import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { OpenAiLlm } from '../../src/rag/llm/openai.js';
import { type Handler, json, ScriptedServer } from '../support/http-server.js';
import { RotatingCredential } from '../support/rag-parts.js';
import { until } from '../support/until.js';

let server: ScriptedServer;
let llm: OpenAiLlm;

beforeEach(async () => {
  server = await ScriptedServer.start(routes({}));
  llm = new OpenAiLlm({
    url: `${server.url}/v1`,
    model: 'saiga',
    credential: new RotatingCredential('key-1'),
    sampling: { temperature: 0.7, topP: 0.9, presencePenalty: 0, frequencyPenalty: 0, maxTokens: 64 },
    firstTokenMs: 5000,
    idleMs: 5000,
  });
});

afterEach(async () => {
  vi.useRealTimers();
  await llm.close();
  await server.close();
});

const soon = () => AbortSignal.timeout(10_000);

/** Answers by path; everything else is 404. */
const routes =
  (answers: Readonly<Record<string, unknown>>): Handler =>
  ({ path }, response) => {
    const answer = answers[path];
    json(response, answer === undefined ? 404 : 200, answer ?? {});
  };

const count = (...texts: string[]) => llm.tokenizer.count(texts, soon());

describe('the context', () => {
  test('of vLLM is max_model_len of its list of models', async () => {
    const data = [
      { id: 'other', max_model_len: 512 },
      { id: 'saiga', max_model_len: 2048 },
    ];
    server.handler = routes({ '/v1/models': { object: 'list', data } });
    expect(await llm.tokenizer.contextTokens()).toBe(2048);
    expect(server.requests[0]?.headers.authorization).toBe('Bearer key-1');
  });

  test('of llama.cpp is that of one of its slots', async () => {
    server.handler = routes({ '/v1/models': { data: [{ id: 'saiga', meta: { n_ctx: 2048, n_ctx_train: 8192 } }] } });
    expect(await llm.tokenizer.contextTokens()).toBe(2048);
    expect(server.requests).toHaveLength(1);
  });

  test('of an older llama.cpp is among its properties', async () => {
    server.handler = routes({
      '/v1/models': { data: [{ id: 'saiga', meta: { n_ctx_train: 8192 } }] },
      '/props': { default_generation_settings: { n_ctx: 4096 }, total_slots: 2 },
    });
    expect(await llm.tokenizer.contextTokens()).toBe(4096);
  });

  test('of a server that does not say is not known, and no failure', async () => {
    server.handler = routes({ '/v1/models': { data: [{ id: 'saiga' }] } });
    expect(await llm.tokenizer.contextTokens()).toBeUndefined();
  });

  test('is asked for once, until the server refuses what should have fitted', async () => {
    server.handler = routes({ '/v1/models': { data: [{ id: 'saiga', max_model_len: 2048 }] } });
    await llm.tokenizer.contextTokens();
    await llm.tokenizer.contextTokens();
    expect(server.requests).toHaveLength(1);
    llm.tokenizer.forget();
    await llm.tokenizer.contextTokens();
    expect(server.requests).toHaveLength(2);
  });

  test('of a server that is silent holds a question up for half a second at most', async () => {
    server.handler = () => undefined;
    const began = performance.now();
    expect(await llm.tokenizer.contextTokens()).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

describe('tokens', () => {
  test('are counted by vLLM', async () => {
    server.handler = routes({ '/tokenize': { count: 3, max_model_len: 2048, tokens: [1, 2, 3], token_strs: null } });
    expect(await count('один', 'два')).toEqual([3, 3]);
    const body: unknown = JSON.parse(server.requests[0]?.body ?? '');
    expect(body).toEqual({ model: 'saiga', prompt: 'один', content: 'один', add_special_tokens: false });
  });

  test('are listed by llama.cpp', async () => {
    server.handler = routes({ '/tokenize': { tokens: [1, 2, 3, 4] } });
    expect(await count('один')).toEqual([4]);
  });

  test('of a text are counted once', async () => {
    server.handler = routes({ '/tokenize': { count: 3, tokens: [1, 2, 3] } });
    await count('один', 'два');
    await count('один', 'три');
    expect(server.requests).toHaveLength(3);
  });

  test('of a text that comes again in one question are counted once', async () => {
    server.handler = routes({ '/tokenize': { count: 3, tokens: [1, 2, 3] } });
    expect(await count('один', 'два', 'один', 'один')).toEqual([3, 3, 3, 3]);
    expect(server.requests).toHaveLength(2);
  });

  test('of many texts are counted a few at a time', async () => {
    let [now, most] = [0, 0];
    server.handler = async (_request, response) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      json(response, 200, { count: 1, tokens: [1] });
    };
    expect(await count(...Array.from({ length: 40 }, (_, index) => `текст ${index}`))).toHaveLength(40);
    expect(server.requests).toHaveLength(40);
    expect(most).toBeLessThanOrEqual(8);
  });

  test('are counted for others when a client left while its own were', async () => {
    server.handler = () => undefined;
    const controller = new AbortController();
    const left = llm.tokenizer.count(['один'], controller.signal);
    await until('the server is asked', () => server.requests.length === 1);
    controller.abort(new Error('the client is gone'));
    expect(await left).toBeUndefined();
    server.handler = routes({ '/tokenize': { count: 3, tokens: [1, 2, 3] } });
    expect(await count('один')).toEqual([3]);
  });

  test('of a server without a tokenizer are not known, and it is left alone for a minute', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    expect(await count('один')).toBeUndefined();
    expect(await count('один')).toBeUndefined();
    expect(server.requests).toHaveLength(1);
    vi.advanceTimersByTime(60_001);
    expect(await count('один')).toBeUndefined();
    expect(server.requests).toHaveLength(2);
  });

  test('that are nonsense are not taken', async () => {
    server.handler = routes({ '/tokenize': { count: 'three' } });
    expect(await count('один')).toBeUndefined();
  });
});
