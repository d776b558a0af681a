import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { QdrantRetrieval } from '../../src/rag/retrieval/qdrant.js';
import { closedPort, type Handler, json, type ReceivedRequest, ScriptedServer } from '../support/http-server.js';
import { RotatingCredential } from '../support/rag-parts.js';
import { until } from '../support/until.js';

const RECORDINGS = new URL('../recordings/qdrant/exchanges.jsonl', import.meta.url);
const COLLECTIONS = [
  { name: 'BD_curs_data', language: 'russian', limit: 3 },
  { name: 'BD_faq', language: 'english', limit: 1 },
] as const;

interface Recording {
  readonly name: string;
  readonly status: number;
  readonly response: unknown;
}

const recordings = new Map<string, Recording>(
  readFileSync(RECORDINGS, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Recording)
    .map((recording) => [recording.name, recording]),
);

function replay(name: string, response: ServerResponse): void {
  const recording = recordings.get(name);
  if (!recording) throw new Error(`there is no recorded exchange ${name}`);
  const text = typeof recording.response === 'string' ? recording.response : JSON.stringify(recording.response);
  response.writeHead(recording.status).end(text);
}

const point = (id: string | number, score: number, payload: object | null) => ({ id, version: 1, score, payload });
const payload = {
  text: 'Векторная база.',
  source: 'lecture.md',
  title: 'Лекция',
  heading: 'Введение',
  course: 'demo',
  content_hash: 'c0',
  document_hash: 'd0',
  chunk: 0,
};
const found =
  (...points: object[]): Handler =>
  (_request, response) =>
    json(response, 200, { result: { points }, status: 'ok', time: 0 });

let server: ScriptedServer;
let retrieval: QdrantRetrieval;
let credential: RotatingCredential;
const { signal } = new AbortController();

beforeEach(async () => {
  server = await ScriptedServer.start(found());
  credential = new RotatingCredential('key-1', 'key-2');
  retrieval = new QdrantRetrieval(server.url, credential, COLLECTIONS);
});

afterEach(async () => {
  await retrieval.close();
  await server.close();
});

const ofCollection = (name: string) => server.requests.find(({ path }) => path === `/collections/${name}/points/query`);
const bodyOf = (request: ReceivedRequest | undefined) => JSON.parse(request?.body ?? 'null');

describe('search', () => {
  test('asks each collection in its language, within the course, for more than its limit, with the payload', async () => {
    await retrieval.search('что такое RAG', 'demo', signal);
    expect(bodyOf(ofCollection('BD_curs_data'))).toEqual({
      query: { text: 'что такое RAG', model: 'qdrant/bm25', options: { language: 'russian' } },
      using: 'bm25',
      filter: { must: [{ key: 'course', match: { value: 'demo' } }] },
      limit: 19,
      with_payload: true,
    });
    expect(bodyOf(ofCollection('BD_faq'))).toMatchObject({ query: { options: { language: 'english' } }, limit: 17 });
    expect(server.requests.map(({ headers }) => headers['api-key'])).toEqual(['key-1', 'key-1']);
  });

  test('gives passages by collection, in the configured order', async () => {
    server.handler = found(point('id-1', 7.5, payload));
    const { collections } = await retrieval.search('база', 'demo', signal);
    expect(collections).toEqual([
      {
        collection: 'BD_curs_data',
        limit: 3,
        passages: [
          {
            collection: 'BD_curs_data',
            id: 'id-1',
            text: 'Векторная база.',
            source: 'lecture.md',
            title: 'Лекция',
            heading: 'Введение',
            contentHash: 'c0',
            score: 7.5,
          },
        ],
      },
      { collection: 'BD_faq', limit: 1, passages: [expect.objectContaining({ collection: 'BD_faq' })] },
    ]);
  });

  test('understands that nothing was found, as Qdrant says it of stop words', async () => {
    server.handler = (_request, response) => replay('bm25_query_stopword', response);
    const { collections } = await retrieval.search('и не', 'demo', signal);
    expect(collections).toEqual([
      { collection: 'BD_curs_data', limit: 3, passages: [] },
      { collection: 'BD_faq', limit: 1, passages: [] },
    ]);
  });

  test.each([
    ['count_unknown_collection', 'not-found', "doesn't exist"],
    ['auth_wrong_key_collections', 'unauthorised', 'Invalid API key or JWT'],
    ['ro_upsert', 'unauthorised', 'Forbidden'],
    ['recovery_mode_query', 'unavailable', 'operator says so'],
    ['strict_rate_limit_try3', 'unavailable', 'Rate limiting exceeded'],
    ['query_batch_one_wrong', 'refused', 'Vector dimension error'],
  ])('a collection that answers %s fails as %s; the other one still counts', async (name, kind, text) => {
    server.handler = (request, response) =>
      request.path.includes('BD_faq') ? found()(request, response) : replay(name, response);
    const {
      collections: [first, second],
    } = await retrieval.search('база', 'demo', signal);
    expect(first).toEqual({
      collection: 'BD_curs_data',
      failure: expect.objectContaining({ kind, message: expect.stringContaining(text) }),
    });
    expect(second).toEqual({ collection: 'BD_faq', limit: 1, passages: [] });
  });

  test('points that ragdock did not write are a failure, not an empty passage', async () => {
    server.handler = found(point(5, 1, { page_content: 'текст' }));
    const {
      collections: [first],
    } = await retrieval.search('база', 'demo', signal);
    expect(first).toMatchObject({
      failure: { message: expect.stringContaining('point 5 of BD_curs_data has no text') },
    });
  });

  test('something else than Qdrant is a failure', async () => {
    server.handler = (_request, response) => void response.writeHead(200).end('<html>');
    const {
      collections: [first],
    } = await retrieval.search('база', 'demo', signal);
    expect(first).toMatchObject({ failure: { kind: 'refused' } });
  });

  test('nobody there is a failure of every collection', async () => {
    await retrieval.close();
    retrieval = new QdrantRetrieval(`http://127.0.0.1:${await closedPort()}`, credential, COLLECTIONS);
    const { collections: results } = await retrieval.search('база', 'demo', signal);
    expect(results).toMatchObject([{ failure: { kind: 'unreachable' } }, { failure: { kind: 'unreachable' } }]);
  });

  test('silence is a failure after two seconds', async () => {
    server.handler = () => undefined;
    const { collections: results } = await retrieval.search('база', 'demo', signal);
    expect(results).toMatchObject([{ failure: { kind: 'timeout' } }, { failure: { kind: 'timeout' } }]);
    expect(await server.requests[0]?.closed).toBe(true);
  });

  test('an abort ends the requests and rejects with its reason', async () => {
    server.handler = () => undefined;
    const controller = new AbortController();
    const reason = new Error('the client is gone');
    const search = retrieval.search('база', 'demo', controller.signal);
    setImmediate(() => controller.abort(reason));
    await expect(search).rejects.toBe(reason);
  });
});

describe('search by words and vectors', () => {
  const embedding = { model: 'owner/model', dimension: 2 };
  const embedded: string[] = [];
  const embedder = {
    ...embedding,
    embed: async (texts: readonly string[]) => {
      embedded.push(...texts);
      return texts.map(() => [1, 0]);
    },
    close: async () => undefined,
  };

  test('spells the question for each as the passages are: ё for vectors, е for words; and asks for more than count', async () => {
    await retrieval.close();
    retrieval = new QdrantRetrieval(
      server.url,
      credential,
      [
        { ...COLLECTIONS[0], embedding },
        { ...COLLECTIONS[0], name: 'theirs', layout: 'langchain', embedding },
      ],
      embedder,
    );
    await retrieval.search('что такое ёлка', 'demo', signal);
    const bodies = server.requests.map(({ body }) => JSON.parse(body));
    const [closest, fused] = bodies.find((body) => 'searches' in body).searches;
    expect(embedded).toEqual(['что такое ёлка']);
    expect(fused.prefetch[1].query.text).toBe('что такое елка');
    expect([closest.limit, fused.prefetch[0].limit, fused.limit]).toEqual([64, 64, 19]);
    expect(bodies.find((body) => !('searches' in body))).toMatchObject({ query: [1, 0], limit: 19 });
  });
});

describe('transport', () => {
  test('a connection that broke costs one repetition', async () => {
    let broken = 0;
    server.handler = (request, response) => {
      if (broken >= COLLECTIONS.length) return found()(request, response);
      broken += 1;
      response.destroy();
    };
    const { collections } = await retrieval.search('база', 'demo', signal);
    expect(collections).toEqual([
      { collection: 'BD_curs_data', limit: 3, passages: [] },
      { collection: 'BD_faq', limit: 1, passages: [] },
    ]);
    expect(server.requests).toHaveLength(4);
  });

  test('and not a second one', async () => {
    server.handler = (_request, response) => void response.destroy();
    const { collections: results } = await retrieval.search('база', 'demo', signal);
    expect(results).toMatchObject([{ failure: { kind: 'unreachable' } }, { failure: { kind: 'unreachable' } }]);
    expect(server.requests).toHaveLength(4);
  });

  test('idle connections are closed within the five seconds after which Qdrant closes them', async () => {
    await retrieval.search('база', 'demo', signal);
    expect(await server.connections()).toBeGreaterThan(0);
    await until('the connections are closed', async () => (await server.connections()) === 0, 4900);
  });

  test('401 makes the key be read once more', async () => {
    server.handler = (request, response) =>
      request.headers['api-key'] === 'key-2'
        ? found()(request, response)
        : replay('auth_wrong_key_collections', response);
    const { collections: results } = await retrieval.search('база', 'demo', signal);
    expect(results).toEqual([
      { collection: 'BD_curs_data', limit: 3, passages: [] },
      { collection: 'BD_faq', limit: 1, passages: [] },
    ]);
  });
});

describe('check', () => {
  const listing =
    (...names: string[]): Handler =>
    (_request, response) =>
      json(response, 200, { result: { collections: names.map((name) => ({ name })) }, status: 'ok', time: 0 });

  test('is content when the key is right and all collections are there', async () => {
    server.handler = listing('BD_curs_data', 'BD_faq', 'other');
    await expect(retrieval.check(signal)).resolves.toBeUndefined();
    expect(server.requests[0]).toMatchObject({ path: '/collections', headers: { 'api-key': 'key-1' } });
  });

  test('names a collection that is missing', async () => {
    server.handler = listing('BD_curs_data');
    await expect(retrieval.check(signal)).rejects.toThrow('Qdrant has no collection BD_faq');
  });

  test('fails with a wrong key', async () => {
    server.handler = (_request, response) => replay('auth_wrong_key_collections', response);
    await expect(retrieval.check(signal)).rejects.toMatchObject({ kind: 'unauthorised' });
  });
});
