import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PROBLEMS } from '../../../src/apps/rag-api/problems.js';
import { REFUSAL } from '../../../src/rag/exchange.js';
import { RagFailure } from '../../../src/rag/failure.js';
import { json } from '../../support/http-server.js';
import { answering, events, openStream, stalling, streaming } from '../../support/openai-script.js';
import { KEY, OLDER_KEY, RunningRagApi } from '../../support/rag-api.js';
import { passage } from '../../support/rag-parts.js';
import { until } from '../../support/until.js';

let api: RunningRagApi;

beforeEach(async () => {
  api = await RunningRagApi.start();
});

afterEach(() => api.stop());

async function restart(...args: Parameters<typeof RunningRagApi.start>): Promise<void> {
  await api.stop();
  api = await RunningRagApi.start(...args);
}

/** Sends a question over a socket of its own and gives everything that comes back, up to the end of the connection. */
async function askRaw(): Promise<string> {
  const body = JSON.stringify({ message: 'Что такое RAG?', user_name: 'Иван', course: 'demo' });
  const socket = connect(api.port, '127.0.0.1');
  socket.write(
    `POST /process_message HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  let text = '';
  socket.on('data', (data) => {
    text += data.toString();
  });
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return text;
}

describe('POST /process_message', () => {
  test('streams the answer as plain text, with its headers', async () => {
    api.script = answering('Векторная', ' база 😀');
    const response = await api.ask();
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'transfer-encoding': 'chunked',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'x-rag-sources': '1',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'x-exchange-id': api.history.only.id,
      'server-timing': expect.stringMatching(/^(?:(?:retrieval|prompt|prefill|first_token);dur=[\d.]+(?:, |$)){4}$/),
    });
    expect(response.headers.has('x-rag-degraded')).toBe(false);
    expect(await response.text()).toBe('Векторная база 😀');
    expect(api.history.only.status).toBe('complete');
  });

  test('gives each piece of the answer when the model gives it', async () => {
    let more: () => void = () => undefined;
    const second = new Promise<void>((resolve) => {
      more = resolve;
    });
    api.script = streaming(events.text('Векторная'), second, events.text(' база'), events.finish(), events.done());
    const reader = (await api.ask()).body?.getReader();
    const decoder = new TextDecoder();
    expect(decoder.decode((await reader?.read())?.value)).toBe('Векторная');
    more();
    expect(decoder.decode((await reader?.read())?.value)).toBe(' база');
    expect((await reader?.read())?.done).toBe(true);
  });

  test('waits with its headers for the first character', async () => {
    let first: () => void = () => undefined;
    const token = new Promise<void>((resolve) => {
      first = resolve;
    });
    api.script = streaming(events.role(), events.text(' '), token, events.text('Да'), events.finish(), events.done());
    let answered = false;
    const response = api.ask().finally(() => {
      answered = true;
    });
    await until('the model is asked', () => api.model.requests.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(answered).toBe(false);
    first();
    expect(await (await response).text()).toBe(' Да');
  });

  test('takes over a request id that is one, and no other', async () => {
    const good = await api.ask({}, { headers: { 'x-request-id': 'web-7.a_B' } });
    expect(good.headers.get('x-request-id')).toBe('web-7.a_B');
    const bad = await api.ask({}, { headers: { 'x-request-id': 'a b"c' } });
    expect(bad.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    await Promise.all([good.text(), bad.text()]);
  });

  test('ignores fields that it does not know', async () => {
    const response = await api.ask({ history: [], client_ip: '1.2.3.4' });
    expect(response.status).toBe(200);
    await response.text();
  });

  test('refuses without a source', async () => {
    api.retrieval.results = [{ collection: 'BD_curs_data', passages: [] }];
    const response = await api.ask();
    expect(response.headers.get('x-rag-sources')).toBe('0');
    expect(await response.text()).toBe(REFUSAL);
    expect(api.model.requests).toEqual([]);
    expect(await api.metric('rag_no_context_total')).toEqual(['rag_no_context_total 1']);
    expect(await api.metric('rag_requests_total')).toEqual(['rag_requests_total{course="demo",outcome="refused"} 1']);
  });
});

describe('keys', () => {
  test.each([[undefined], [''], ['wrong'], [`${KEY}x`], [KEY.slice(0, -1)]])(
    '%j is refused, without detail',
    async (key) => {
      const response = await api.ask({}, { key });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(await response.json()).toEqual({
        type: 'urn:ragdock:problem:unauthorized',
        title: PROBLEMS.UNAUTHORIZED.title,
        status: 401,
        code: 'UNAUTHORIZED',
        request_id: response.headers.get('x-request-id'),
      });
    },
  );

  test('are not asked for by an API that is open', async () => {
    await restart({}, { apiKeys: 'open' });
    for (const key of [undefined, 'wrong']) {
      const response = await api.ask({}, { key });
      expect(response.status).toBe(200);
      await response.text();
      const id = response.headers.get('x-exchange-id');
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
      expect((await fetch(`${api.url}/exchanges/${id}`, { headers })).status).toBe(200);
    }
  });

  test('of the two newest versions are accepted', async () => {
    for (const key of [KEY, OLDER_KEY]) {
      const response = await api.ask({}, { key });
      expect(response.status).toBe(200);
      await response.text();
    }
  });

  test('are asked for before the body is read', async () => {
    expect((await api.ask('x'.repeat(100_000), { key: 'wrong' })).status).toBe(401);
  });

  test('guard exchanges, too, and not the probes', async () => {
    expect((await fetch(`${api.url}/exchanges/00000000-0000-4000-8000-000000000000`)).status).toBe(401);
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${api.url}/readyz`)).status).not.toBe(401);
  });
});

describe('input', () => {
  test.each([
    ['message', '', 'is empty'],
    ['message', ' \u200b\n', 'is empty'],
    ['message', 'ы'.repeat(4001), 'is longer than 4000 characters'],
    ['message', 7, 'expected string'],
    ['user_name', '', 'is empty'],
    ['user_name', 'и'.repeat(65), 'is longer than 64 characters'],
    ['user_name', 'Иван\nИгнорируй', 'cannot be printed'],
    ['user_name', 'Ив\u202eан', 'cannot be printed'],
    ['course', 'other', 'is not a course'],
    ['course', undefined, 'expected string'],
  ])('%s %j is refused by name', async (field, value, message) => {
    const response = await api.ask({ [field]: value });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      code: 'INPUT_INVALID',
      errors: [{ field, message: expect.stringContaining(message) }],
    });
  });

  test('is refused for everything that is wrong with it at once', async () => {
    const response = await api.ask({ message: '', user_name: '', course: '' });
    const { errors } = (await response.json()) as { errors: { field: string }[] };
    expect(errors.map(({ field }) => field)).toEqual(['message', 'user_name', 'course']);
  });

  test.each([
    ['{"message":', 400, 'BODY_INVALID'],
    ['', 400, 'BODY_INVALID'],
    ['[]', 422, 'INPUT_INVALID'],
    ['null', 422, 'INPUT_INVALID'],
    ['{"message":"a","__proto__":{"x":1}}', 400, 'BODY_INVALID'],
    [JSON.stringify({ message: 'x'.repeat(70_000) }), 413, 'BODY_TOO_LARGE'],
  ])('%.40s is %i %s', async (body, status, code) => {
    const response = await api.ask(body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code, status });
  });

  test.each(['application/x-www-form-urlencoded', 'text/plain'])('of the type %s is refused', async (type) => {
    const response = await api.ask('{}', { headers: { 'content-type': type } });
    expect(await response.json()).toMatchObject({ code: 'MEDIA_TYPE_UNSUPPORTED', status: 415 });
  });

  test('may be as long as it is allowed to be, counted in characters', async () => {
    await restart({ llm: { contextTokens: 100_000 } });
    const response = await api.ask({
      message: '😀'.repeat(4000),
      user_name: 'и'.repeat(64),
      course: 'Машинное обучение',
    });
    expect(response.status).toBe(200);
    await response.text();
  });

  test('at an unknown address is a problem document, too', async () => {
    const response = await api.get('/nope');
    expect(await response.json()).toMatchObject({ code: 'NOT_FOUND', status: 404 });
  });

  test('that leaves no room in the context of the model is refused', async () => {
    await restart({ llm: { contextTokens: 1024 } });
    const response = await api.ask({ message: 'слово '.repeat(600) });
    expect(await response.json()).toMatchObject({ code: 'QUESTION_TOO_LONG', status: 422 });
  });

  test('that comes too slowly is cut off', async () => {
    const { server } = api.api.app;
    expect(server.requestTimeout).toBeGreaterThan(0);
    expect(server.headersTimeout).toBeLessThanOrEqual(server.requestTimeout);
    // The same server, made less patient: that the setting is honoured is what counts.
    server.requestTimeout = 200;
    server.headersTimeout = 200;
    const socket = connect(api.port, '127.0.0.1');
    socket.write(
      `POST /process_message HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${KEY}\r\nContent-Length: 100\r\n\r\n{"m`,
    );
    let text = '';
    socket.on('data', (data) => {
      text += data.toString();
    });
    await once(socket, 'close');
    expect(text).toContain('408');
  });
});

describe('when the model fails before the first character', () => {
  test.each([
    [
      '500',
      (_: unknown, r: Parameters<typeof json>[0]) => json(r, 500, { error: { message: 'EngineCore' } }),
      502,
      'LLM_FAILED',
    ],
    ['401', (_: unknown, r: Parameters<typeof json>[0]) => json(r, 401, { error: 'Unauthorized' }), 502, 'LLM_FAILED'],
    [
      'busy',
      (_: unknown, r: Parameters<typeof json>[0]) => json(r, 503, { error: { message: 'busy' } }),
      503,
      'LLM_BUSY',
    ],
    ['200 without a token', streaming(events.role(), events.finish(), events.done()), 502, 'LLM_FAILED'],
    ['an error inside the stream', streaming(events.role(), events.error('dead'), events.done()), 502, 'LLM_FAILED'],
  ])('%s becomes a status of its own', async (_name, script, status, code) => {
    api.script = script;
    const response = await api.ask();
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(response.headers.has('retry-after')).toBe(status === 503);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code, status });
    expect(text).not.toContain('EngineCore');
    await until('the failure is saved', () => api.history.hasEnded('error'));
    expect(await api.metric('rag_failures_total')).toHaveLength(1);
  });

  test('nobody there is 503', async () => {
    await api.model.close();
    const response = await api.ask();
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('10');
    expect(await response.json()).toMatchObject({ code: 'LLM_UNAVAILABLE' });
    await restart();
  });

  test('silence is 504', async () => {
    await restart({ limits: { firstTokenSeconds: 0.1 } });
    api.script = stalling(events.role());
    const response = await api.ask();
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ code: 'LLM_TIMEOUT' });
  });
});

describe('when the model fails after the first character', () => {
  test.each([
    ['an error inside the stream', streaming(events.text('Векторная'), events.error('dead'), events.done())],
    ['[DONE] without a finish_reason', streaming(events.text('Векторная'), events.done())],
    ['an end without a finish_reason', streaming(events.text('Векторная'))],
  ])('%s: the client sees that the body is not complete', async (_name, script) => {
    api.script = script;
    const response = await api.ask();
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    await until('the failure is saved', () => api.history.hasEnded('error'));
    expect(api.history.only.answer).toBe('Векторная');
  });

  test('the last chunk of the body is missing on the wire', async () => {
    api.script = streaming(events.text('Векторная'), events.error('dead'), events.done());
    const text = await askRaw();
    expect(text).toContain('Векторная');
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
    api.script = answering('Векторная');
    expect(await askRaw()).toMatch(/\r\n0\r\n\r\n$/);
  });

  test('silence in the middle cuts the connection', async () => {
    await restart({ limits: { idleSeconds: 0.1 } });
    api.script = stalling(events.text('Векторная'));
    await expect((await api.ask()).text()).rejects.toThrow();
    await until('the failure is saved', () => api.history.hasEnded('error'));
    expect(api.history.only.errorCode).toBe('llm-timeout');
  });

  test('an answer longer than the total deadline is cut off', async () => {
    await restart({ limits: { totalSeconds: 0.3 } });
    let timer: NodeJS.Timeout | undefined;
    api.script = ({ path }, response) => {
      if (path !== '/v1/chat/completions') return json(response, 404, {});
      openStream(response);
      timer = setInterval(() => response.write(events.text('а')), 20);
      response.once('close', () => clearInterval(timer));
    };
    await expect((await api.ask()).text()).rejects.toThrow();
    const chat = api.model.requests.find(({ path }) => path === '/v1/chat/completions');
    expect(await chat?.closed).toBe(true);
  });
});

describe('when the client is gone', () => {
  test('before the first character, the model is stopped at once', async () => {
    api.script = stalling(events.role());
    const controller = new AbortController();
    const response = api.ask({}, { signal: controller.signal });
    await until('the model is asked', () => api.model.requests.length === 1);
    controller.abort();
    await expect(response).rejects.toThrow();
    expect(await api.model.requests[0]?.closed).toBe(true);
    await until('the end is saved', () => api.history.hasEnded('aborted'));
    expect(await api.metric('rag_upstream_aborts_total')).toEqual(['rag_upstream_aborts_total 1']);
  });

  test('in the middle of silence, the model is stopped at once and the part is saved', async () => {
    api.script = stalling(events.text('Векторная'));
    const controller = new AbortController();
    const response = await api.ask({}, { signal: controller.signal });
    const began = performance.now();
    controller.abort();
    expect(await api.model.requests[0]?.closed).toBe(true);
    expect(performance.now() - began).toBeLessThan(1000);
    await until('the end is saved', () => api.history.hasEnded('aborted'));
    expect(api.history.only.answer).toBe('Векторная');
    await expect(response.text()).rejects.toThrow();
  });

  test('its place is free for the next question', async () => {
    await restart({ limits: { concurrentStreams: 1 } });
    api.script = stalling(events.text('Векторная'));
    const controller = new AbortController();
    const first = await api.ask({}, { signal: controller.signal });
    expect((await api.ask()).status).toBe(503);
    controller.abort();
    await expect(first.text()).rejects.toThrow();
    await until('the place is free', async () =>
      (await api.metric('rag_streams_in_flight')).includes('rag_streams_in_flight 0'),
    );
    api.script = answering('Да');
    expect(await (await api.ask()).text()).toBe('Да');
  });
});

test('more streams than allowed get 503 with Retry-After', async () => {
  await restart({ limits: { concurrentStreams: 2, streamsPerKey: 2, streamsPerAddress: 2 } });
  let finish: () => void = () => undefined;
  const end = new Promise<void>((resolve) => {
    finish = resolve;
  });
  api.script = streaming(events.text('Да'), end, events.finish(), events.done());
  const running = await Promise.all([api.ask(), api.ask()]);
  const third = await api.ask();
  expect(third.status).toBe(503);
  expect(third.headers.get('retry-after')).toBe('5');
  expect(await third.json()).toMatchObject({ code: 'BUSY' });
  expect(await api.metric('rag_rejected_total')).toEqual(['rag_rejected_total{code="BUSY"} 1']);
  finish();
  for (const response of running) expect(await response.text()).toBe('Да');
});

describe('degraded', () => {
  test('without the history: answered, said so, and no exchange id', async () => {
    api.history.before = () => {
      throw new RagFailure('history-unavailable', 'refused');
    };
    const response = await api.ask();
    expect(response.status).toBe(200);
    expect(response.headers.get('x-rag-degraded')).toBe('history');
    expect(response.headers.has('x-exchange-id')).toBe(false);
    expect(await response.text()).toBe('Да');
    expect(await api.metric('rag_degraded_total')).toEqual(['rag_degraded_total{component="history"} 1']);
  });

  test('an answer that could not be saved as promised does not end cleanly', async () => {
    api.history.before = (operation) => {
      if (operation === 'finish') throw new Error('disk full');
    };
    const response = await api.ask();
    expect(response.headers.has('x-exchange-id')).toBe(true);
    await expect(response.text()).rejects.toThrow();
    expect(await api.metric('rag_exchanges_lost_total')).toEqual(['rag_exchanges_lost_total 1']);
  });

  test('without retrieval: refused with 503, or answered with a notice in the mode general', async () => {
    api.retrieval.results = [{ collection: 'BD_curs_data', failure: new Error('down') }];
    const refused = await api.ask();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('10');
    expect(await refused.json()).toMatchObject({ code: 'RETRIEVAL_UNAVAILABLE' });

    await restart({ noContext: 'general' });
    api.retrieval.results = [{ collection: 'BD_curs_data', failure: new Error('down') }];
    const answered = await api.ask();
    expect(answered.status).toBe(200);
    expect(answered.headers.get('x-rag-degraded')).toBe('retrieval');
    await answered.text();
  });

  test('without one of the collections: answered from the others', async () => {
    api.retrieval.results = [
      { collection: 'BD_curs_data', failure: new Error('down') },
      { collection: 'BD_faq', passages: [passage({ collection: 'BD_faq' })] },
    ];
    const response = await api.ask();
    expect(response.headers.get('x-rag-degraded')).toBe('retrieval');
    expect(response.headers.get('x-rag-sources')).toBe('1');
    await response.text();
  });
});

describe('GET /exchanges/:id', () => {
  test('gives the exchange with its sources', async () => {
    const asked = await api.ask();
    await asked.text();
    const response = await api.get(`/exchanges/${asked.headers.get('x-exchange-id')}`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      id: asked.headers.get('x-exchange-id'),
      request_id: asked.headers.get('x-request-id'),
      status: 'complete',
      user_name: 'Иван',
      course: 'demo',
      question: 'Что такое RAG?',
      answer: 'Да',
      refused: false,
      degraded: [],
      model: 'saiga',
      finish_reason: 'stop',
      sources: [
        {
          number: 1,
          collection: 'BD_curs_data',
          source: 'lecture.md',
          title: 'Лекция',
          heading: 'Введение',
          score: 1,
          text: 'Векторная база хранит эмбеддинги.',
        },
      ],
      timings: Object.fromEntries(
        ['retrieval', 'prompt', 'prefill', 'first_token', 'generation', 'total'].map((key) => [
          key,
          expect.any(Number),
        ]),
      ),
    });
  });

  test.each(['00000000-0000-4000-8000-000000000000', 'not-an-id', '%00'])('%s is 404', async (id) => {
    const response = await api.get(`/exchanges/${id}`);
    expect(await response.json()).toMatchObject({ code: 'EXCHANGE_NOT_FOUND', status: 404 });
  });

  test('is 503 while the history is down', async () => {
    api.history.before = () => {
      throw new RagFailure('history-unavailable', 'refused');
    };
    const response = await api.get('/exchanges/00000000-0000-4000-8000-000000000000');
    expect(response.headers.get('retry-after')).toBe('10');
    expect(await response.json()).toMatchObject({ code: 'HISTORY_UNAVAILABLE', status: 503 });
  });
});

describe('GET /readyz', () => {
  const models = () => {
    api.script = (_request, response) => json(response, 200, { data: [{ id: 'saiga' }] });
  };

  test('is 200 when every dependency works', async () => {
    models();
    const response = await fetch(`${api.url}/readyz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      ready: true,
      checks: {
        history: { ok: true, ms: expect.any(Number) },
        retrieval: { ok: true, ms: expect.any(Number) },
        llm: { ok: true, ms: expect.any(Number) },
      },
    });
  });

  test('is 503 and names what does not, without its cause', async () => {
    models();
    api.history.failure = new RagFailure('history-unavailable', 'password authentication failed for user rag_api');
    const response = await fetch(`${api.url}/readyz`);
    expect(response.status).toBe(503);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      ready: false,
      checks: { history: { ok: false, reason: 'history-unavailable' }, retrieval: { ok: true } },
    });
    expect(text).not.toContain('password');
  });

  test('asks the dependencies once for many probes', async () => {
    models();
    await Promise.all(Array.from({ length: 10 }, () => fetch(`${api.url}/readyz`)));
    expect(api.model.requests).toHaveLength(1);
  });

  test('does not wait for a dependency that is silent', async () => {
    api.script = () => undefined;
    const began = performance.now();
    const response = await fetch(`${api.url}/readyz`);
    expect(performance.now() - began).toBeLessThan(4000);
    expect(await response.json()).toMatchObject({ checks: { llm: { ok: false } } });
  });
});

describe('logs', () => {
  test('hold ids, sizes and times, and no text, name or key', async () => {
    api.script = answering('Секретный ответ');
    await (await api.ask({ message: 'Секретный вопрос', user_name: 'Секретное имя' })).text();
    await api.ask({ message: '', user_name: 'Секретное имя' });
    api.script = (_request, response) => json(response, 500, { error: { message: 'engine' } });
    await api.ask({ message: 'Секретный вопрос' });
    await until('all is logged', () => api.log.filter((line) => line.includes('question ended')).length === 2);
    const text = api.log.join('');
    expect(text).not.toMatch(/Секретн/);
    expect(text).not.toContain(KEY);
    const line = JSON.parse(api.log.find((one) => one.includes('question ended')) ?? '{}');
    expect(line).toMatchObject({
      requestId: expect.any(String),
      exchangeId: expect.any(String),
      course: 'demo',
      status: 'complete',
      sources: 1,
      questionCharacters: 16,
      answerCharacters: 15,
      timings: { total: expect.any(Number) },
    });
  });
});

describe('stopping', () => {
  test('lets running answers end, and takes no new ones', async () => {
    let finish: () => void = () => undefined;
    const end = new Promise<void>((resolve) => {
      finish = resolve;
    });
    api.script = streaming(events.text('Век'), end, events.text('тор'), events.finish(), events.done());
    const response = await api.ask();
    const stopped = api.api.stop(5000);
    await expect(api.ask()).rejects.toThrow();
    finish();
    expect(await response.text()).toBe('Вектор');
    const began = performance.now();
    await stopped;
    expect(performance.now() - began).toBeLessThan(2000);
    expect(api.history.only.status).toBe('complete');
    await restart();
  });

  test('does not wait for a client that connected and asked nothing', async () => {
    const silent = connect(api.port, '127.0.0.1');
    await once(silent, 'connect');
    const closed = once(silent, 'close');
    expect((await api.get('/healthz')).status).toBe(200);

    await api.api.stop(0);
    await closed;
    await restart();
  });

  test('ends what is still running at its deadline, and saves it', async () => {
    api.script = stalling(events.text('Век'));
    const response = await api.ask();
    const text = response.text();
    text.catch(() => undefined);
    await api.api.stop(100);
    await expect(text).rejects.toThrow();
    expect(api.history.only).toMatchObject({ status: 'aborted', answer: 'Век' });
    expect(await api.model.requests[0]?.closed).toBe(true);
    await restart();
  });
});
