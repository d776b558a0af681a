import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Llm, LlmEvent } from '../../../src/rag/ports.js';
import { type Handler, json } from '../../support/http-server.js';
import { events, stalling, streaming } from '../../support/openai-script.js';
import { KEY, RunningRagApi } from '../../support/rag-api.js';
import { until } from '../../support/until.js';

let api: RunningRagApi;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await api.stop();
});

/** What the model answers with; what it is asked beside that, it does not know. */
function answerWith(handler: Handler): void {
  api.script = (request, response) =>
    request.path === '/v1/chat/completions' ? handler(request, response) : json(response, 404, {});
}

/** More than the buffers of a connection on loopback hold. */
const LARGE = 'x'.repeat(16 * 1024 * 1024);

/** An answer of that size. In one piece, its text is over before its client has taken it. */
const large = () =>
  streaming(...Array.from({ length: 32 }, () => events.text('x'.repeat(512 * 1024))), events.finish(), events.done());

function open(): Socket {
  const socket = connect(api.port, '127.0.0.1').on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

/** A connection whose client writes, and reads nothing. */
const deaf = (): Socket => open().pause();

/** What comes back on a connection up to its end. */
async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (data) => {
    text += data.toString();
  });
  await once(socket, 'close');
  return text;
}

function post(path: string, content: object): string {
  const body = JSON.stringify(content);
  return (
    `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

const question = () => post('/process_message', { message: 'Что такое RAG?', user_name: 'Иван', course: 'demo' });
const inOnePiece = () =>
  post('/v1/chat/completions', { model: 'demo', messages: [{ role: 'user', content: 'Что такое RAG?' }] });

const inFlight = async (): Promise<number> => Number((await api.metric('rag_streams_in_flight'))[0]?.split(' ')[1]);
const aborts = () => api.metric('rag_upstream_aborts_total');
const questionEnded = () => until('the question ended', () => api.log.some((line) => line.includes('question ended')));

async function stopsWithin(ms: number, graceMs: number): Promise<void> {
  const began = performance.now();
  await api.api.stop(graceMs);
  expect(performance.now() - began).toBeLessThan(ms);
}

describe('a client that reads nothing', () => {
  test('loses its finished answer, and its place, some time after the total deadline', async () => {
    api = await RunningRagApi.start({ limits: { totalSeconds: 4 } }, { takeMs: 200 });
    answerWith(large());
    deaf().write(inOnePiece());
    await questionEnded();
    expect(await inFlight()).toBe(1);
    await until('its place is free', async () => (await inFlight()) === 0, 10_000);
    expect(api.history.only.status).toBe('complete');
    expect(await aborts()).toEqual(['rag_upstream_aborts_total 0']);
  });

  test('of a finished answer does not hold the service up', async () => {
    // Of one piece, so that the text is over while the stream is not.
    async function* chat(): AsyncGenerator<LlmEvent> {
      yield { type: 'text', text: LARGE };
      yield { type: 'end', finishReason: 'stop', usage: undefined };
    }
    const llm: Llm = { model: 'saiga', chat, check: async () => undefined, close: async () => undefined };
    api = await RunningRagApi.start({}, { llm });
    deaf().write(question());
    await questionEnded();
    expect(await inFlight()).toBe(1);
    await stopsWithin(4000, 100);
    expect(api.history.only.status).toBe('complete');
  });

  test('of what is on record does not hold the service up', async () => {
    api = await RunningRagApi.start();
    await (await api.ask()).text();
    const { only } = api.history;
    api.history.exchanges.set(only.id, { ...only, answer: LARGE });
    const listed = new Promise<void>((resolve) => {
      api.history.before = (operation) => (operation === 'list' ? resolve() : undefined);
    });
    const user = encodeURIComponent('Иван');
    deaf().write(`GET /history?user_name=${user} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${KEY}\r\n\r\n`);
    await listed;
    await stopsWithin(4000, 100);
  });

  test('of a reply that does not come does not hold the service up, either', async () => {
    api = await RunningRagApi.start();
    const asked = new Promise<void>((resolve) => {
      api.history.before = (operation) => {
        if (operation !== 'list') return;
        resolve();
        return new Promise(() => undefined);
      };
    });
    const response = api.get('/history?user_name=a');
    response.catch(() => undefined);
    await asked;
    await stopsWithin(4000, 100);
    await expect(response).rejects.toThrow();
  });

  test('and asks twice at once has no place any more when it is gone', async () => {
    api = await RunningRagApi.start();
    answerWith(stalling(events.text('Да')));
    const socket = open();
    socket.write(question() + question());
    await until('both are asked', async () => (await inFlight()) === 2);
    socket.destroy();
    await until('both places are free', async () => (await inFlight()) === 0);
  });
});

describe('a service that stops', () => {
  test('tells whoever waits for a first character that it stops', async () => {
    api = await RunningRagApi.start();
    answerWith(stalling(events.role()));
    const asked = api.ask();
    await until('the model is asked', () => api.model.requests.some(({ path }) => path === '/v1/chat/completions'));
    await api.api.stop(100);
    const response = await asked;
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await response.json()).toMatchObject({ code: 'STOPPING' });
    await until('the end is saved', () => api.history.hasEnded('aborted'));
    expect(await aborts()).toEqual(['rag_upstream_aborts_total 0']);
  });

  test('refuses a question on a connection that it keeps for another answer, in its own words', async () => {
    api = await RunningRagApi.start();
    let finish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    answerWith(streaming(events.text('Век'), held, events.text('тор'), events.finish(), events.done()));
    const socket = open();
    const all = readAll(socket);
    socket.write(question());
    await once(socket, 'data');
    const stopped = api.api.stop(5000);
    socket.write(question());
    await until('it is refused', async () => (await api.metric('rag_rejected_total')).length > 0);
    finish();
    const text = await all;
    expect(text).toContain('тор');
    const refusal = text.slice(text.indexOf('HTTP/1.1 503'));
    for (const header of ['retry-after: 5', 'x-content-type-options: nosniff', 'x-request-id: '])
      expect(refusal).toContain(header);
    expect(JSON.parse(refusal.split('\r\n\r\n')[1] ?? '')).toMatchObject({ code: 'STOPPING' });
    await stopped;
  });

  test('closes a connection when its last answer has ended', async () => {
    api = await RunningRagApi.start();
    let finish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    answerWith(streaming(events.text('Да'), held, events.finish(), events.done()));
    const [first, second] = [open(), open()];
    const text = readAll(first);
    first.write(question());
    await once(first, 'data');
    answerWith(stalling(events.text('Да')));
    second.write(question());
    await once(second, 'data');
    const stopped = api.api.stop(5000);
    finish();
    // The other answer still runs, so that the service has not stopped.
    expect(await text).toMatch(/0\r\n\r\n$/);
    expect(await inFlight()).toBe(1);
    second.destroy();
    await stopped;
  });
});
