import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureCollection } from '../../src/rag/retrieval/qdrant-collection.js';
import { QdrantHttp } from '../../src/rag/retrieval/qdrant-http.js';
import { QdrantPassageStore } from '../../src/rag/retrieval/qdrant-store.js';
import { json, type ReceivedRequest, ScriptedServer } from '../support/http-server.js';
import { RotatingCredential } from '../support/rag-parts.js';

const METADATA = { schema: 1, language: 'russian', chunking: 1, embedding: 'none', dimension: 0 };
const INDEXES = { course: { data_type: 'keyword', points: 0 }, source: { data_type: 'keyword', points: 0 } };
const STRICT_MODE = { enabled: true, max_query_limit: 1000, max_timeout: 60, filter_max_conditions: 64 };
const KEY = { course: 'demo', source: 'a.md' };

/** What GET /collections/NAME says of a collection as ragdock makes it. */
const asMade = (
  changes: {
    params?: object;
    metadata?: object;
    payload_schema?: object;
    points_count?: number;
    strict_mode?: object;
  } = {},
) => ({
  status: 'green',
  points_count: changes.points_count ?? 0,
  config: {
    params: { vectors: {}, sparse_vectors: { bm25: { modifier: 'idf' } }, ...changes.params },
    metadata: changes.metadata ?? METADATA,
    strict_mode_config: changes.strict_mode ?? STRICT_MODE,
  },
  payload_schema: changes.payload_schema ?? INDEXES,
});

let server: ScriptedServer;
let http: QdrantHttp;
/** What the server holds; undefined when the collection does not exist. */
let info: object | undefined;

beforeEach(async () => {
  info = undefined;
  server = await ScriptedServer.start((request, response) => {
    if (request.method === 'GET') {
      return info
        ? json(response, 200, { result: info, status: 'ok', time: 0 })
        : json(response, 404, { status: { error: "Not found: Collection `c` doesn't exist!" }, time: 0 });
    }
    if (request.method === 'PUT' && request.path === '/collections/c') info = asMade({ payload_schema: {} });
    json(response, 200, { result: true, status: 'ok', time: 0 });
  });
  http = new QdrantHttp(server.url, new RotatingCredential('key'));
});

afterEach(async () => {
  await http.close();
  await server.close();
});

const writes = () =>
  server.requests
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path, body }: ReceivedRequest) => [`${method} ${path}`, JSON.parse(body)]);

describe('ensureCollection', () => {
  test.each([
    ['none', {}],
    ['other limits', { ...STRICT_MODE, max_query_limit: 5 }],
    ['limits that are switched off', { ...STRICT_MODE, enabled: false }],
  ])('gives a collection with %s the limits of strict mode', async (_what, strict_mode) => {
    info = asMade({ strict_mode });

    expect(await ensureCollection(http, 'c', { language: 'russian' })).toBe('present');
    expect(writes()).toEqual([['PATCH /collections/c', { strict_mode_config: STRICT_MODE }]]);
  });

  test('makes a sparse vector with idf, metadata, and the indexes before there are points', async () => {
    expect(await ensureCollection(http, 'c', { language: 'russian' })).toBe('created');
    expect(writes()).toEqual([
      [
        'PUT /collections/c',
        {
          sparse_vectors: { bm25: { modifier: 'idf' } },
          strict_mode_config: STRICT_MODE,
          metadata: { ...METADATA, average_length: 80 },
        },
      ],
      [
        'PUT /collections/c/index?wait=true',
        { field_name: 'course', field_schema: { type: 'keyword', is_tenant: true } },
      ],
      ['PUT /collections/c/index?wait=true', { field_name: 'source', field_schema: { type: 'keyword' } }],
    ]);
  });

  test.each([METADATA, { ...METADATA, average_length: 80 }, { ...METADATA, average_length: 100 }])(
    'changes nothing when it is there: %j',
    async (metadata) => {
      info = asMade({ points_count: 7, metadata });
      expect(await ensureCollection(http, 'c', { language: 'russian' })).toBe('present');
      expect(writes()).toEqual([]);
    },
  );

  test('makes the indexes that an interrupted run left out', async () => {
    info = asMade({ payload_schema: { course: INDEXES.course } });
    expect(await ensureCollection(http, 'c', { language: 'russian' })).toBe('present');
    expect(writes().map(([call]) => call)).toEqual(['PUT /collections/c/index?wait=true']);
  });

  test('accepts the one that somebody else made at the same moment', async () => {
    server.handler = (request, response) => {
      if (request.method === 'GET') {
        return info
          ? json(response, 200, { result: info, status: 'ok', time: 0 })
          : json(response, 404, { status: { error: 'Not found' }, time: 0 });
      }
      info = asMade();
      json(response, 409, { status: { error: 'Wrong input: Collection `c` already exists!' }, time: 0 });
    };
    expect(await ensureCollection(http, 'c', { language: 'russian' })).toBe('created');
  });

  test.each([
    ['another language', { metadata: { ...METADATA, language: 'english' } }, 'its language is "english", not russian'],
    ['an embedding', { metadata: { ...METADATA, embedding: 'bge-m3' } }, 'its embedding is "bge-m3", not none'],
    ['another chunking', { metadata: { ...METADATA, chunking: 2 } }, 'its chunking is 2, not 1'],
    ['no metadata', { metadata: {} }, 'it says nothing of its language, chunking and embedding'],
    ['no bm25', { params: { sparse_vectors: {} } }, 'it has no sparse vector bm25'],
    ['no idf', { params: { sparse_vectors: { bm25: {} } } }, 'its sparse vector bm25 has no modifier idf'],
    [
      'an unnamed vector',
      { params: { vectors: { size: 8, distance: 'Cosine' } } },
      'it has a dense vector without a name',
    ],
    ['a dense vector', { params: { vectors: { dense: { size: 8 } } } }, 'it has dense vectors (dense)'],
    ['points without an index', { payload_schema: {}, points_count: 3 }, 'it holds points but has no index on course'],
  ])('refuses a collection with %s, and alters nothing', async (_name, changes, difference) => {
    info = asMade(changes);
    await expect(ensureCollection(http, 'c', { language: 'russian' })).rejects.toThrow(
      `collection c was made otherwise: ${difference}`,
    );
    expect(writes()).toEqual([]);
  });
});

describe('QdrantPassageStore', () => {
  const stored = {
    id: '00000000-0000-5000-8000-000000000001',
    text: 'Ещё текст.',
    source: 'a.md',
    title: 'Курс',
    heading: 'Курс > Введение',
    course: 'demo',
    contentHash: 'c',
    documentHash: 'd',
    chunk: 0,
  };
  const open = () => QdrantPassageStore.open(server.url, new RotatingCredential('key'), 'c');

  test('takes the language from the collection and searches origin and text, normalised', async () => {
    info = asMade({ metadata: { ...METADATA, language: 'english' } });
    const store = await open();
    await store.put([stored]);
    await store.close();
    expect(writes()).toEqual([
      [
        'PUT /collections/c/points?wait=true',
        {
          points: [
            {
              id: stored.id,
              vector: {
                bm25: { text: 'Курс > Введение Еще текст.', model: 'qdrant/bm25', options: { language: 'english' } },
              },
              payload: {
                text: 'Ещё текст.',
                source: 'a.md',
                title: 'Курс',
                heading: 'Курс > Введение',
                course: 'demo',
                content_hash: 'c',
                document_hash: 'd',
                chunk: 0,
              },
            },
          ],
        },
      ],
    ]);
  });

  test.each([
    ['as long as its collection says', { average_length: 80 }, { avg_len: 80 }],
    ['as Qdrant does where it says nothing', {}, {}],
  ])('takes passages to be on average %s', async (_what, made, options) => {
    info = asMade({ metadata: { ...METADATA, ...made } });
    const store = await open();
    await store.put([stored]);
    await store.close();
    const [, body] = writes()[0] ?? [];
    expect(body.points[0].vector.bm25.options).toEqual({ language: 'russian', ...options });
  });

  test('checks the vector names before every upsert, because Qdrant does so only after its log', async () => {
    info = asMade();
    const store = await open();
    await store.put([stored]);
    info = asMade({ params: { sparse_vectors: { other: { modifier: 'idf' } } } });
    await expect(store.put([stored])).rejects.toThrow('it has no sparse vector bm25');
    await store.close();
    expect(writes()).toHaveLength(1);
  });

  test('removes what is of the document but not of its newest version', async () => {
    info = asMade();
    const store = await open();
    await store.removeOthers(KEY, 'd2');
    await store.close();
    expect(writes()).toEqual([
      [
        'POST /collections/c/points/delete?wait=true',
        {
          filter: {
            must: [
              { key: 'course', match: { value: 'demo' } },
              { key: 'source', match: { value: 'a.md' } },
            ],
            must_not: [{ key: 'document_hash', match: { value: 'd2' } }],
          },
        },
      ],
    ]);
  });

  test.each([
    [404, false],
    [400, undefined],
  ])('what is there no more when it is made part of a version: %i', async (status, expected) => {
    info = asMade();
    const store = await open();
    const { handler } = server;
    server.handler = (request, response) =>
      request.path.includes('/points/payload')
        ? json(response, status, { status: { error: 'Not found: No point with id x found' }, time: 0 })
        : handler(request, response);
    const adopted = store.adopt(['x'], 'd2');
    if (expected === undefined) await expect(adopted).rejects.toThrow();
    else expect(await adopted).toBe(expected);
    await store.close();
  });

  test('lists what a document has page by page, and makes it part of a version in as many calls', async () => {
    info = asMade();
    const store = await open();
    const { handler } = server;
    const points = Array.from({ length: 2500 }, (_, index) => ({
      id: `id-${index}`,
      payload: { title: index === 7 ? 'Старый' : 'Курс' },
    }));
    server.handler = (request, response) => {
      if (!request.path.endsWith('/points/scroll')) return handler(request, response);
      const { offset, limit } = JSON.parse(request.body) as { offset: string | null; limit: number };
      const start = offset === null ? 0 : Number(offset);
      const next = start + limit < points.length ? String(start + limit) : null;
      const result = { points: points.slice(start, start + limit), next_page_offset: next };
      return json(response, 200, { result, status: 'ok', time: 0 });
    };
    const ids = await store.idsOf(KEY, 'Курс');
    expect(ids.size).toBe(2499);
    expect(ids).not.toContain('id-7');
    await store.adopt([...ids], 'd2');
    await store.close();
    const adopted = writes().filter(([call]) => call === 'POST /collections/c/points/payload?wait=true');
    expect(adopted.map(([, body]) => body.points.length)).toEqual([1000, 1000, 499]);
    expect(adopted.map(([, body]) => body.payload)).toEqual(Array(3).fill({ document_hash: 'd2' }));
    const scrolled = writes().filter(([call]) => call === 'POST /collections/c/points/scroll');
    expect(scrolled.map(([, body]) => body.limit)).toEqual([1000, 1000, 1000]);
  });

  test.each([429, 503])('asks again after %i', async (status) => {
    info = asMade();
    const store = await open();
    const { handler } = server;
    let refused = false;
    server.handler = (request, response) => {
      if (refused || request.method === 'GET') return handler(request, response);
      refused = true;
      return json(response, status, { status: { error: 'later' }, time: 0 });
    };
    await store.put([stored]);
    await store.close();
    expect(writes().map(([call]) => call)).toEqual(Array(2).fill('PUT /collections/c/points?wait=true'));
  });

  test('goes on when the server is down for a moment', async () => {
    info = asMade();
    const store = await open();
    const { handler } = server;
    let refused = 0;
    server.handler = (request, response) => {
      if (refused >= 3) return handler(request, response);
      refused += 1;
      json(response, 503, { status: { error: 'starting' }, time: 0 });
    };
    await store.put([stored]);
    await store.close();
    expect(refused).toBe(3);
  });

  test('refuses a collection that is missing or was made otherwise', async () => {
    await expect(open()).rejects.toThrow('there is no collection c');
    info = asMade({ metadata: {} });
    await expect(open()).rejects.toThrow('was made otherwise');
  });
});
