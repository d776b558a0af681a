import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OpenAiLlm, type OpenAiOptions } from '../../src/rag/llm/openai.js';
import { failureOfTransport } from '../../src/rag/llm/openai-errors.js';
import type { LlmEvent } from '../../src/rag/ports.js';
import { closedPort, type Handler, json, ScriptedServer } from '../support/http-server.js';
import { answering, events, openStream, stalling, streaming } from '../support/openai-script.js';
import { RotatingCredential } from '../support/rag-parts.js';
import { until } from '../support/until.js';

const RECORDINGS = new URL('../recordings/', import.meta.url);
const MESSAGES = [{ role: 'user', content: 'Что такое RAG?' }] as const;
const PROMPT = { messages: MESSAGES, question: 'Что такое RAG?', passages: [] };
const SAMPLING = { temperature: 0.7, topP: 0.9, presencePenalty: 0.1, frequencyPenalty: 0.2, maxTokens: 64 };

let server: ScriptedServer;
let llm: OpenAiLlm;

beforeEach(async () => {
  server = await ScriptedServer.start(answering('Да'));
  llm = client();
});

afterEach(async () => {
  await llm.close();
  await server.close();
});

function client(options: Partial<OpenAiOptions> = {}): OpenAiLlm {
  return new OpenAiLlm({
    url: server.url,
    model: 'saiga',
    credential: new RotatingCredential('key-1'),
    sampling: SAMPLING,
    firstTokenMs: 5000,
    idleMs: 5000,
    ...options,
  });
}

async function replaceClient(options: Partial<OpenAiOptions>): Promise<void> {
  await llm.close();
  llm = client(options);
}

async function collect(signal = new AbortController().signal): Promise<LlmEvent[]> {
  const collected: LlmEvent[] = [];
  for await (const event of llm.chat(PROMPT, signal)) collected.push(event);
  return collected;
}

const textOf = (collected: readonly LlmEvent[]) =>
  collected.map((event) => (event.type === 'text' ? event.text : '')).join('');

function recorded(name: string, file = 'exchanges'): { status: number; response: unknown } {
  const lines = readFileSync(new URL(`vllm/${file}.jsonl`, RECORDINGS), 'utf8')
    .trim()
    .split('\n');
  const found = lines.map((line) => JSON.parse(line)).find((exchange) => exchange.name === name);
  if (!found) throw new Error(`there is no recorded exchange ${name}`);
  return found;
}

const replaying = (body: Buffer | string): Handler => streaming(body.toString());

describe('a complete answer', () => {
  test('is text, then its end with the usage', async () => {
    server.handler = answering('Векторная', ' база');
    const collected = await collect();
    expect(textOf(collected)).toBe('Векторная база');
    expect(collected.at(-1)).toEqual({
      type: 'end',
      finishReason: 'stop',
      usage: { promptTokens: 7, completionTokens: 2 },
    });
  });

  const pieces = [events.role(), events.text('Векторная'), events.text(' база')].join('');

  test('gives what came together as one text', async () => {
    server.handler = streaming(pieces + events.finish() + events.done());
    expect(await collect()).toEqual([
      { type: 'text', text: 'Векторная база' },
      { type: 'end', finishReason: 'stop', usage: undefined },
    ]);
  });

  test('gives the text before a fault that came with it', async () => {
    server.handler = streaming(pieces + events.error('CUDA error') + events.text('nobody said this') + events.done());
    const collected: LlmEvent[] = [];
    const reading = async () => {
      for await (const event of llm.chat(PROMPT, new AbortController().signal)) collected.push(event);
    };
    await expect(reading()).rejects.toThrow('CUDA error');
    expect(textOf(collected)).toBe('Векторная база');
  });

  test('is asked for with the key, the model and the sampling', async () => {
    await collect();
    const [request] = server.requests;
    expect(request?.method).toBe('POST');
    expect(request?.path).toBe('/v1/chat/completions');
    expect(request?.headers.authorization).toBe('Bearer key-1');
    expect(JSON.parse(request?.body ?? '')).toEqual({
      model: 'saiga',
      messages: MESSAGES,
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.7,
      top_p: 0.9,
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
      max_tokens: 64,
    });
  });

  test.each(['', '/', '/v1', '/v1/'])('is found whether the address ends in "%s"', async (suffix) => {
    await replaceClient({ url: `${server.url}${suffix}` });
    await collect();
    expect(server.requests[0]?.path).toBe('/v1/chat/completions');
  });

  test('leaves the connection for later questions', async () => {
    const ports = new Set<number | undefined>();
    const answer = answering('Да');
    server.handler = (request, response) => {
      ports.add(response.req.socket.remotePort);
      return answer(request, response);
    };
    // The end of a response arrives a moment after its last event: the next question may need a second connection.
    for (let question = 0; question < 10; question += 1) await collect();
    expect(ports.size).toBeLessThanOrEqual(2);
  });

  test('leaves it for less than the five seconds after which servers close it', async () => {
    await collect();
    expect(await server.connections()).toBe(1);
    await until('the connection is closed', async () => (await server.connections()) === 0, 4900);
  });

  test('may end without [DONE] after a finish_reason', async () => {
    server.handler = streaming(events.text('Да'), events.finish());
    expect(textOf(await collect())).toBe('Да');
  });

  test('may hold keep-alive comments and empty texts', async () => {
    server.handler = streaming(
      events.keepAlive(),
      events.text(''),
      events.text('Да'),
      events.keepAlive(),
      events.finish(),
    );
    expect(textOf(await collect())).toBe('Да');
  });
});

describe('recorded streams', () => {
  test.each([
    ['vllm/sse/chat_stream.sse', 'length', undefined],
    ['vllm/sse/chat_stream_usage.sse', 'length', { promptTokens: 37, completionTokens: 8 }],
    ['vllm/sse/chat_stream_usage_continuous.sse', 'length', { promptTokens: 37, completionTokens: 8 }],
    ['vllm/sse/chat_stream_eager_to_eos.sse', 'stop', expect.anything()],
    ['vllm/sse/chat_stream_eager_stop.sse', 'stop', expect.anything()],
    ['vllm/sse/chat_n2.sse', expect.any(String), expect.anything()],
    ['llama-cpp/chat_stream.sse', 'length', { promptTokens: 33, completionTokens: 4 }],
  ])('%s is read to its end', async (name, finishReason, usage) => {
    server.handler = replaying(readFileSync(new URL(name, RECORDINGS)));
    const collected = await collect();
    expect(collected.at(-1)).toEqual({ type: 'end', finishReason, usage });
    expect(textOf(collected)).not.toBe('');
  });

  test('give the text that the events hold', async () => {
    const body = readFileSync(new URL('vllm/sse/chat_stream.sse', RECORDINGS), 'utf8');
    server.handler = replaying(body);
    const wanted = [...body.matchAll(/"delta":\{[^}]*"content":("(?:[^"\\]|\\.)*")/g)].map(([, text]) =>
      JSON.parse(text ?? ''),
    );
    expect(textOf(await collect())).toBe(wanted.join(''));
  });

  test('with emoji arrive whole, in pieces of one byte', async () => {
    const body = Buffer.from(
      readFileSync(new URL('vllm/sse/completion_stream_emoji.sse', RECORDINGS), 'utf8').replace(
        /"text":("(?:[^"\\]|\\.)*")/g,
        '"delta":{"content":$1}',
      ),
    );
    server.handler = async (_request, response) => {
      openStream(response);
      for (const byte of body) {
        // One write each would still be joined by the network; a turn of the loop between them keeps them apart.
        response.write(Uint8Array.of(byte));
        if (byte >= 0x80) await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    };
    const text = textOf(await collect());
    expect(text).toContain('😌');
    expect(text).not.toContain('\ufffd');
  });

  test('that were cut off by a reset are failures', async () => {
    server.handler = replaying(readFileSync(new URL('vllm/sse/chat_stream_client_reset.sse', RECORDINGS)));
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-failed' });
  });
});

describe('what is not an answer', () => {
  test('an error inside the stream, although [DONE] follows it', async () => {
    const { stream } = recorded('sigkill_engine_core_with_stream_in_flight') as unknown as { stream: { tail: string } };
    const error = stream.tail.slice(stream.tail.indexOf('data: {"error"'));
    expect(error).toContain('[DONE]');
    server.handler = streaming(events.text('Векторная'), error);
    await expect(collect()).rejects.toMatchObject({
      kind: 'llm-failed',
      message: expect.stringContaining('EngineCore encountered an issue'),
    });
  });

  test.each(['abort', 'error'])('a finish_reason that says so: %s', async (reason) => {
    server.handler = streaming(events.text('Да'), events.finish(reason), events.done());
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-failed', message: expect.stringContaining(reason) });
  });

  test('[DONE] without a finish_reason', async () => {
    server.handler = streaming(events.text('Да'), events.done());
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-failed', message: expect.stringContaining('[DONE]') });
  });

  test('an end of the body without a finish_reason', async () => {
    server.handler = streaming(events.text('Да'));
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-failed' });
  });

  test('a body that breaks off', async () => {
    server.handler = (_request, response) => {
      openStream(response);
      response.write(events.text('Да'), () => response.destroy());
    };
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-failed' });
  });

  test.each([
    ['nothing', []],
    ['its role', [events.role(), events.keepAlive()]],
    ['white space', [events.role(), events.text(' \n')]],
  ])('a body that breaks off after %s, which is no part of an answer: llm-unavailable', async (_, said) => {
    server.handler = (_request, response) => {
      openStream(response);
      response.write(`: headers\n\n${said.join('')}`, () => response.destroy());
    };
    await expect(collect()).rejects.toMatchObject({
      kind: 'llm-unavailable',
      message: expect.stringContaining('broke'),
    });
  });

  test.each(['ETIMEDOUT', 'EHOSTUNREACH', 'ECONNRESET'])(
    '%s counts as unreachable until an answer has begun',
    (code) => {
      const lost = Object.assign(new Error('lost'), { code });
      expect(failureOfTransport(lost, false).kind).toBe('llm-unavailable');
      expect(failureOfTransport(lost, true).kind).toBe('llm-failed');
    },
  );

  test('what is no HTTP', async () => {
    server.handler = (_request, response) => void response.socket?.end('rubbish\r\n\r\n');
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-failed' });
  });

  test('a response whose head breaks off: llm-unavailable', async () => {
    server.handler = (_request, response) => void response.socket?.end('HTTP/1.1 200 OK\r\ncontent-ty');
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-unavailable' });
  });

  test.each(['{"choices":', '[1]', 'null', '7'])('an event that is not an object: %s', async (data) => {
    server.handler = streaming(`data: ${data}\n\n`, events.finish(), events.done());
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-failed' });
  });

  test('200 with JSON instead of a stream', async () => {
    server.handler = (_request, response) => json(response, 200, { choices: [] });
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-failed' });
  });
});

describe('refusals', () => {
  test('of a vLLM that finishes what it has begun: llm-unavailable, the same question may be asked again', async () => {
    const name = 'sigterm_with_shutdown_timeout_20_stream_200_tokens';
    const { events: seen } = recorded(name, 'all-exchanges') as unknown as {
      events: readonly (readonly [seconds: number, what: string])[];
    };
    const [, body = ''] = seen[0]?.[1].split('new completion 500 ') ?? [];
    server.handler = (_request, reply) => json(reply, 500, JSON.parse(body));
    await expect(collect()).rejects.toMatchObject({
      kind: 'llm-unavailable',
      message: expect.stringContaining('after shutdown'),
    });
  });

  test.each([
    ['err_chat_prompt_too_long', 'llm-context'],
    ['err_max_tokens_over_context_chat', 'llm-failed'],
    ['err_unknown_model_chat_stream', 'llm-failed'],
    ['err_empty_messages', 'llm-failed'],
    ['queue_full_2', 'llm-busy'],
  ])('of vLLM: %s is %s', async (name, kind) => {
    const { status, response } = recorded(name);
    server.handler = (_request, reply) => json(reply, status, response);
    await expect(collect()).rejects.toMatchObject({ kind });
  });

  test('of llama.cpp: a prompt over the context is llm-context', async () => {
    const body = JSON.parse(readFileSync(new URL('llama-cpp/context_exceeded.json', RECORDINGS), 'utf8'));
    server.handler = (_request, reply) => json(reply, 400, body);
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-context' });
  });

  test('of a proxy before the server: 502 is llm-unavailable, and its page is in the message', async () => {
    server.handler = (_request, reply) => reply.writeHead(502).end('<html>Bad Gateway</html>') && undefined;
    await expect(collect()).rejects.toMatchObject({
      kind: 'llm-unavailable',
      message: expect.stringContaining('Bad Gateway'),
    });
  });

  test('a server that nobody runs is llm-unavailable', async () => {
    await replaceClient({ url: `http://127.0.0.1:${await closedPort()}` });
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-unavailable' });
  });

  test('401 makes the key be read once more', async () => {
    const credential = new RotatingCredential('old', 'new');
    await replaceClient({ credential });
    const answer = answering('Да');
    server.handler = (request, response) =>
      request.headers.authorization === 'Bearer new'
        ? answer(request, response)
        : json(response, 401, recorded('auth_wrong_key_v1_chat_completions').response);
    expect(textOf(await collect())).toBe('Да');
    expect(textOf(await collect())).toBe('Да');
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer old',
      'Bearer new',
      'Bearer new',
    ]);
  });

  test('401 with the new key, too, is llm-unavailable: server and client do not agree yet', async () => {
    server.handler = (_request, response) => json(response, 401, recorded('auth_no_key_v1_chat_completions').response);
    await expect(collect()).rejects.toMatchObject({
      kind: 'llm-unavailable',
      message: expect.stringContaining('401: Unauthorized'),
    });
    expect(server.requests).toHaveLength(2);
  });
});

describe('silence', () => {
  test('before the first token ends the question', async () => {
    await replaceClient({ firstTokenMs: 80 });
    server.handler = stalling(events.role(), events.keepAlive());
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-timeout' });
    expect(await server.requests[0]?.closed).toBe(true);
  });

  test('before the headers ends the question', async () => {
    await replaceClient({ firstTokenMs: 80 });
    server.handler = () => undefined;
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-timeout' });
  });

  test('inside an answer ends it, although the server goes on with comments', async () => {
    await replaceClient({ idleMs: 100 });
    let timer: NodeJS.Timeout | undefined;
    server.handler = (_request, response) => {
      openStream(response);
      response.write(events.text('Да'));
      timer = setInterval(() => response.write(events.keepAlive()), 10);
    };
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-timeout' });
    clearInterval(timer);
  });

  test('of the reader does not count', async () => {
    await replaceClient({ idleMs: 100 });
    server.handler = answering('а', 'б', 'в');
    const collected: LlmEvent[] = [];
    for await (const event of llm.chat(PROMPT, new AbortController().signal)) {
      collected.push(event);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(textOf(collected)).toBe('абв');
  });
});

describe('cancelling', () => {
  const reason = new Error('the client is gone');

  test('ends the request at once, in the middle of silence', async () => {
    const controller = new AbortController();
    server.handler = stalling(events.text('Да'));
    const answer = llm.chat(PROMPT, controller.signal);
    expect((await answer.next()).value).toEqual({ type: 'text', text: 'Да' });
    const next = answer.next();
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(await server.requests[0]?.closed).toBe(true);
  });

  test('ends the request while the server has not answered', async () => {
    const controller = new AbortController();
    server.handler = () => undefined;
    const next = llm.chat(PROMPT, controller.signal).next();
    await until('the request arrives', () => server.requests.length === 1);
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(await server.requests[0]?.closed).toBe(true);
  });

  test('asks nothing when it came first', async () => {
    await expect(collect(AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.requests).toEqual([]);
  });

  test('happens when the reader stops reading', async () => {
    server.handler = stalling(events.text('Да'), events.text(' и нет'));
    for await (const event of llm.chat(PROMPT, new AbortController().signal)) {
      expect(event.type).toBe('text');
      break;
    }
    expect(await server.requests[0]?.closed).toBe(true);
  });
});

describe('a connection that the server closed while it was kept', () => {
  test('costs one repetition, and no more', async () => {
    const answer = answering('Да');
    let broken = 0;
    server.handler = (request, response) => {
      if (broken > 0) return answer(request, response);
      broken += 1;
      response.destroy();
    };
    expect(textOf(await collect())).toBe('Да');
    expect(server.requests).toHaveLength(2);

    server.handler = (_request, response) => void response.destroy();
    await expect(collect()).rejects.toMatchObject({ kind: 'llm-unavailable' });
    expect(server.requests).toHaveLength(4);
  });
});

describe('check', () => {
  const check = () => llm.check(AbortSignal.timeout(2000));

  test('is content when the model is listed', async () => {
    const { response } = recorded('models');
    server.handler = (_request, reply) => json(reply, 200, response);
    await replaceClient({ model: 'NightForger/saiga_nemo_12b-GPTQ' });
    await expect(check()).resolves.toBeUndefined();
    expect(server.requests[0]).toMatchObject({ method: 'GET', path: '/v1/models' });
  });

  test('names the models when ours is not among them', async () => {
    server.handler = (_request, reply) => json(reply, 200, { data: [{ id: 'other' }] });
    await expect(check()).rejects.toThrow('lists other, not saiga');
  });

  test('fails on 401 and when nobody listens', async () => {
    server.handler = (_request, reply) => json(reply, 401, { error: 'Unauthorized' });
    await expect(check()).rejects.toMatchObject({ kind: 'llm-unavailable' });
    await replaceClient({ credential: undefined });
    await expect(check()).rejects.toMatchObject({ kind: 'llm-failed' });
    await replaceClient({ url: `http://127.0.0.1:${await closedPort()}` });
    await expect(check()).rejects.toMatchObject({ kind: 'llm-unavailable' });
  });
});
