import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OpenAiEmbedder, type OpenAiEmbedderOptions } from '../../src/rag/embeddings/openai-embedder.js';
import { closedPort, type Handler, json, ScriptedServer } from '../support/http-server.js';
import { RotatingCredential } from '../support/rag-parts.js';
import { until } from '../support/until.js';

const { signal } = new AbortController();

let server: ScriptedServer;
let embedder: OpenAiEmbedder;

/** Gives each text the vector [length of the text, 1], the last text first. */
const answering: Handler = ({ body }, response) => {
  const { input } = JSON.parse(body) as { input: string[] };
  const data = input.map((text, index) => ({ index, embedding: [text.length, 1], object: 'embedding' }));
  json(response, 200, { object: 'list', data: data.reverse(), model: 'm', usage: {} });
};

const saying =
  (status: number, body: unknown): Handler =>
  (_request, response) =>
    typeof body === 'string' ? void response.writeHead(status).end(body) : json(response, status, body);

function open(changes: Partial<OpenAiEmbedderOptions> = {}): OpenAiEmbedder {
  return new OpenAiEmbedder({ url: server.url, model: 'm', dimension: 2, timeoutMs: 5000, ...changes });
}

beforeEach(async () => {
  server = await ScriptedServer.start(answering);
  embedder = open();
});

afterEach(async () => {
  await embedder.close();
  await server.close();
});

async function reopened(changes: Partial<OpenAiEmbedderOptions>): Promise<void> {
  await embedder.close();
  embedder = open(changes);
}

const bodies = () => server.requests.map(({ body }) => JSON.parse(body));

describe('embed', () => {
  test('asks for floats of the model, and gives vectors in the order of the texts, whatever the answer’s', async () => {
    expect(await embedder.embed(['a', 'bbb', 'cc'], signal)).toEqual([
      [1, 1],
      [3, 1],
      [2, 1],
    ]);
    expect(bodies()).toEqual([{ model: 'm', input: ['a', 'bbb', 'cc'], encoding_format: 'float' }]);
    expect(server.requests[0]).toMatchObject({ method: 'POST', path: '/v1/embeddings' });
    expect(server.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  test('sends 32 texts at a time, and none for none', async () => {
    const texts = Array.from({ length: 70 }, (_, index) => 'x'.repeat(index + 1));
    expect((await embedder.embed(texts, signal)).map(([length]) => length)).toEqual(texts.map((text) => text.length));
    expect(bodies().map(({ input }) => input.length)).toEqual([32, 32, 6]);
    expect(await embedder.embed([], signal)).toEqual([]);
    expect(server.requests).toHaveLength(3);
  });

  test.each(['', '/', '/v1', '/v1/'])('takes a base address that ends with %j', async (end) => {
    await reopened({ url: `${server.url}${end}` });
    await embedder.embed(['a'], signal);
    expect(server.requests[0]?.path).toBe('/v1/embeddings');
  });

  test('shows its key, and the new one after a 401', async () => {
    await reopened({ credential: new RotatingCredential('key-1', 'key-2') });
    server.handler = (request, response) =>
      request.headers.authorization === 'Bearer key-2'
        ? answering(request, response)
        : saying(401, '')(request, response);
    expect(await embedder.embed(['a'], signal)).toEqual([[1, 1]]);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer key-1', 'Bearer key-2']);
  });
});

describe('a server that is busy', () => {
  test.each([429, 503])('with %d is asked again, later each time and never in step', async (status) => {
    const times: number[] = [];
    server.handler = (request, response) => {
      times.push(performance.now());
      return times.length < 4
        ? saying(status, { error: 'overloaded' })(request, response)
        : answering(request, response);
    };
    expect(await embedder.embed(['a'], signal)).toEqual([[1, 1]]);
    const [first = 0, second = 0, third = 0] = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    // 100, 200 and 400 ms, of which jitter takes up to half.
    expect(first).toBeGreaterThanOrEqual(49);
    expect(second).toBeGreaterThanOrEqual(99);
    expect(third).toBeGreaterThanOrEqual(199);
  });

  test('all the time is a failure that may pass, within its time', async () => {
    await reopened({ timeoutMs: 600 });
    server.handler = saying(429, { error: 'Model is overloaded' });
    const began = performance.now();
    await expect(embedder.embed(['a'], signal)).rejects.toMatchObject({
      kind: 'busy',
      transient: true,
      message: expect.stringContaining('Model is overloaded'),
    });
    expect(performance.now() - began).toBeLessThan(1500);
    expect(server.requests.length).toBeGreaterThan(1);
  });

  test('does not keep a caller that has left', async () => {
    server.handler = saying(429, '');
    const controller = new AbortController();
    const reason = new Error('the client is gone');
    const embedding = embedder.embed(['a'], controller.signal);
    await until('it was asked', () => server.requests.length > 0);
    controller.abort(reason);
    await expect(embedding).rejects.toBe(reason);
  });
});

describe('a failure', () => {
  const vectors = (...embeddings: unknown[]) => ({
    data: embeddings.map((embedding, index) => ({ index, embedding })),
  });

  test.each<[string, number, unknown, string, boolean, string]>([
    ['too few vectors', 200, vectors([1, 2]), 'refused', false, '2 texts gave 1 vectors'],
    ['too many vectors', 200, vectors([1, 2], [1, 2], [1, 2]), 'refused', false, '2 texts gave 3 vectors'],
    ['another dimension', 200, vectors([1, 2], [1, 2, 3]), 'mismatch', false, 'and this one has 3'],
    ['no numbers', 200, vectors([1, 2], [1, null]), 'refused', false, 'no embedding server'],
    [
      'numbers without end',
      200,
      '{"data":[{"index":0,"embedding":[1,1e999]},{"index":1,"embedding":[1,2]}]}',
      'refused',
      false,
      'no embedding server',
    ],
    [
      'NaN',
      200,
      '{"data":[{"index":0,"embedding":[1,NaN]},{"index":1,"embedding":[1,2]}]}',
      'refused',
      false,
      'no embedding server',
    ],
    ['a page', 200, '<html>', 'refused', false, 'no embedding server'],
    ['a text that is too long', 413, 'Input validation error', 'refused', false, '413: Input validation error'],
    ['a backend that failed', 424, 'Backend error', 'unavailable', true, '424: Backend error'],
    ['a wrong key', 403, '', 'unauthorised', false, '403'],
  ])('%s is one', async (_, status, body, kind, transient, message) => {
    server.handler = saying(status, body);
    await expect(embedder.embed(['a', 'b'], signal)).rejects.toMatchObject({
      kind,
      transient,
      message: expect.stringContaining(message),
    });
    expect(server.requests).toHaveLength(1);
  });

  test('nobody there is one that may pass', async () => {
    await reopened({ url: `http://127.0.0.1:${await closedPort()}` });
    await expect(embedder.embed(['a'], signal)).rejects.toMatchObject({ kind: 'unreachable', transient: true });
  });

  test('silence is one after its time, and the connection is given up', async () => {
    await reopened({ timeoutMs: 100 });
    server.handler = () => undefined;
    await expect(embedder.embed(['a'], signal)).rejects.toMatchObject({ kind: 'timeout', transient: true });
    expect(await server.requests[0]?.closed).toBe(true);
  });

  test('a connection that broke costs one repetition, and no second one', async () => {
    server.handler = (request, response) =>
      server.requests.length === 1 ? void response.destroy() : answering(request, response);
    expect(await embedder.embed(['a'], signal)).toEqual([[1, 1]]);
    server.requests.length = 0;
    server.handler = (_request, response) => void response.destroy();
    await expect(embedder.embed(['a'], signal)).rejects.toMatchObject({ kind: 'unreachable' });
    expect(server.requests).toHaveLength(2);
  });
});

test('idle connections are closed within the five seconds after which servers close them', async () => {
  await embedder.embed(['a'], signal);
  expect(await server.connections()).toBeGreaterThan(0);
  await until('the connections are closed', async () => (await server.connections()) === 0, 4900);
});
