import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LearnedPassage, Unlearnable } from '../../src/rag/learn.js';
import type { SearchedCollection } from '../../src/rag/retrieval/collection-settings.js';
import { collectionDefinition, PAYLOAD_INDEXES } from '../../src/rag/retrieval/qdrant-layout.js';
import { QdrantLearned } from '../../src/rag/retrieval/qdrant-learned.js';
import { json, ScriptedServer } from '../support/http-server.js';
import { RotatingCredential } from '../support/rag-parts.js';

const COLLECTIONS: readonly SearchedCollection[] = [
  { name: 'BD_curs_data', language: 'russian', limit: 3 },
  { name: 'BD_chat_question', language: 'russian', limit: 3 },
  { name: 'theirs', language: 'russian', limit: 3, layout: 'langchain' },
];

const PASSAGE: LearnedPassage = {
  id: '6a1f1f3e-93a5-4a6e-8f0e-3a8f4c1f2b3d',
  text: 'Что такое RAG?\n\nПоиск и ответ.',
  source: 'history/6a1f1f3e-93a5-4a6e-8f0e-3a8f4c1f2b3d',
  title: 'Что такое RAG?',
  heading: '',
  course: 'demo',
  contentHash: 'hash',
  documentHash: 'hash',
  chunk: 0,
  userName: 'Иван',
};

let qdrant: ScriptedServer;
let learned: QdrantLearned;
/** What a call to a path is answered with in place of success. */
let failing: Record<string, number>;

beforeEach(async () => {
  failing = {};
  const { metadata, strict_mode_config, sparse_vectors } = collectionDefinition({ language: 'russian' });
  const info = {
    config: { params: { sparse_vectors }, metadata, strict_mode_config },
    payload_schema: PAYLOAD_INDEXES,
    points_count: 1,
  };
  qdrant = await ScriptedServer.start(({ method, path }, response) => {
    const status = failing[path];
    if (status !== undefined) return json(response, status, { status: { error: 'no' } });
    json(response, 200, { result: method === 'GET' ? info : { status: 'completed' } });
  });
  learned = open('BD_chat_question');
});

afterEach(async () => {
  await learned.close();
  await qdrant.close();
});

const open = (into: string | undefined) =>
  new QdrantLearned({ url: qdrant.url, credential: new RotatingCredential('key'), collections: COLLECTIONS, into });

const writes = () =>
  qdrant.requests
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path, body }) => ({ what: `${method} ${path}`, body: JSON.parse(body) }))
    .sort((a, b) => (a.what < b.what ? -1 : 1));

describe('a learned point', () => {
  test('has the id of its exchange, and says where it comes from and whose it is', async () => {
    await learned.put(PASSAGE);
    const [write] = writes();
    expect(write?.what).toBe('PUT /collections/BD_chat_question/points?wait=true');
    expect(write?.body.points).toEqual([
      {
        id: PASSAGE.id,
        vector: {
          bm25: expect.objectContaining({ model: 'qdrant/bm25', options: { language: 'russian', avg_len: 80 } }),
        },
        payload: {
          text: PASSAGE.text,
          source: PASSAGE.source,
          title: PASSAGE.title,
          heading: '',
          course: 'demo',
          content_hash: 'hash',
          document_hash: 'hash',
          chunk: 0,
          origin: 'history',
          user_name: 'Иван',
        },
      },
    ]);
  });

  test('is removed from every collection of ours, and from none of LangChain’s', async () => {
    await learned.remove(PASSAGE.id);
    expect(writes()).toEqual(
      ['BD_chat_question', 'BD_curs_data'].map((name) => ({
        what: `POST /collections/${name}/points/delete?wait=true`,
        body: { points: [PASSAGE.id] },
      })),
    );
  });

  test('of a user goes by name, and what was ingested stays', async () => {
    await learned.removeUser('Иван');
    expect(writes().map(({ body }) => body)).toEqual(
      [0, 1].map(() => ({
        filter: {
          must: [
            { key: 'origin', match: { value: 'history' } },
            { key: 'user_name', match: { value: 'Иван' } },
          ],
        },
      })),
    );
  });
});

test('a collection that is not there holds nothing; one that does not answer may', async () => {
  failing['/collections/BD_curs_data/points/delete?wait=true'] = 404;
  await expect(learned.removeUser('Иван')).resolves.toBeUndefined();
  failing['/collections/BD_chat_question/points/delete?wait=true'] = 503;
  await expect(learned.removeUser('Иван')).rejects.toMatchObject({ kind: 'unavailable' });
});

test('a point that Qdrant refuses is refused for good; a wrong key or a missing collection can be mended', async () => {
  const path = '/collections/BD_chat_question/points?wait=true';
  failing[path] = 400;
  await expect(learned.put(PASSAGE)).rejects.toBeInstanceOf(Unlearnable);
  for (const [status, kind] of [
    [401, 'unauthorised'],
    [404, 'not-found'],
    [503, 'unavailable'],
  ] as const) {
    failing[path] = status;
    await expect(learned.put(PASSAGE)).rejects.toMatchObject({ name: 'QdrantError', kind });
  }
});

test('without a collection to learn into nothing is learned, and what was is removed', async () => {
  const off = open(undefined);
  expect([learned.learns, off.learns]).toEqual([true, false]);
  await expect(off.put(PASSAGE)).rejects.toThrow('no collection');
  await off.remove(PASSAGE.id);
  expect(writes()).toHaveLength(2);
  await off.close();
});
