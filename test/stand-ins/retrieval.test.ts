import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QdrantClient } from '@qdrant/js-client-rest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operatorEval } from '../../src/apps/operator/eval.js';
import { OpenAiEmbedder } from '../../src/rag/embeddings/openai-embedder.js';
import { hashOf } from '../../src/rag/ingest/identity.js';
import { ingest } from '../../src/rag/ingest/ingest.js';
import type { Embedder, Passage } from '../../src/rag/ports.js';
import type { SearchedCollection } from '../../src/rag/retrieval/collection-settings.js';
import { checkLangChainCollection } from '../../src/rag/retrieval/langchain-collection.js';
import { QdrantRetrieval } from '../../src/rag/retrieval/qdrant.js';
import { ensureCollection } from '../../src/rag/retrieval/qdrant-collection.js';
import { QdrantHttp } from '../../src/rag/retrieval/qdrant-http.js';
import { collectionDefinition } from '../../src/rag/retrieval/qdrant-layout.js';
import { QdrantPassageStore } from '../../src/rag/retrieval/qdrant-store.js';
import { retrieve } from '../../src/rag/retrieve.js';
import { ragdock } from '../cli/terminal.js';
import { until } from '../support/until.js';
import { StandInProcess } from './process.js';
import { QdrantProcess, storageFolder } from './qdrant/harness/server.js';

// What ragdock asks of Qdrant and of an embedding server, against both stand-ins: Qdrant's own engine, and vectors made of
// words.

const PROGRAM = fileURLToPath(new URL('./tei/text-embeddings-router', import.meta.url));
const KEY = 'the-key';
const EMBEDDING = { model: 'owner/model', dimension: 256 };
const credential = { current: () => KEY, refresh: async () => KEY };
const { signal } = new AbortController();

let storage: Awaited<ReturnType<typeof storageFolder>>;
let folder: string;
let qdrant: QdrantProcess;
let tei: StandInProcess;
let client: QdrantClient;
let http: QdrantHttp;
let url: string;

beforeAll(async () => {
  storage = await storageFolder();
  folder = mkdtempSync(join(tmpdir(), 'ragdock-test-'));
  const model = join(folder, 'model');
  mkdirSync(model);
  writeFileSync(
    join(model, 'config.json'),
    JSON.stringify({ hidden_size: EMBEDDING.dimension, model_type: 'bert', max_position_embeddings: 8192 }),
  );
  for (const name of ['tokenizer.json', 'model.safetensors']) writeFileSync(join(model, name), '{}');
  writeFileSync(join(folder, 'key.v1'), KEY);
  [qdrant, tei] = await Promise.all([
    QdrantProcess.start(storage.path, { QDRANT__SERVICE__API_KEY: KEY }),
    StandInProcess.start(PROGRAM, (port) => ({
      args: [
        '--model-id',
        model,
        '--hostname',
        '127.0.0.1',
        '--port',
        String(port),
        '--served-model-name',
        EMBEDDING.model,
        '--auto-truncate',
        'false',
      ],
      env: { API_KEY: KEY },
    })).then((server) => server.ready()),
  ]);
  url = `http://127.0.0.1:${qdrant.port}`;
  client = new QdrantClient({ url, apiKey: KEY });
  http = new QdrantHttp(url, credential);
});

afterAll(async () => {
  await http.close();
  await Promise.all([qdrant.stop(), tei.stop()]);
  await storage.remove();
  rmSync(folder, { recursive: true });
});

const embedder = (at = tei.url) => new OpenAiEmbedder({ url: at, ...EMBEDDING, credential, timeoutMs: 10_000 });

async function using<T>(made: Embedder, work: (embedder: Embedder) => Promise<T>): Promise<T> {
  try {
    return await work(made);
  } finally {
    await made.close();
  }
}

const DOCUMENTS = {
  'ёлка.md': '# Ёлка\n\nЁлку ставят в декабре и украшают шарами.',
  'осмос.md': '# Осмос\n\nОсмос – движение растворителя через мембрану клетки.',
  'база.md': '# База\n\nВекторная база хранит эмбеддинги и ищет близкие.',
  'двойник.md': '# Осмос\n\nОсмос – движение растворителя через мембрану клетки.',
};

async function filled(
  name: string,
  embedding: SearchedCollection['embedding'],
  course = 'demo',
): Promise<SearchedCollection> {
  await ensureCollection(http, name, { language: 'russian', embedding });
  const store = await QdrantPassageStore.open(url, credential, name, embedding && embedder());
  const documents = Object.entries(DOCUMENTS).map(([path, content]) => ({ path, content }));
  for await (const { status, error } of ingest(documents, store, course))
    expect({ status, error }).toEqual({ status: 'new' });
  await store.close();
  return { name, language: 'russian', limit: 3, embedding };
}

async function search(collections: readonly SearchedCollection[], question: string, made?: Embedder, course = 'demo') {
  const retrieval = new QdrantRetrieval(url, credential, collections, made);
  try {
    return await retrieve(retrieval, question, course, signal);
  } finally {
    await retrieval.close();
  }
}

const sources = (passages: readonly Passage[]) => passages.map(({ source }) => source);

describe('a collection with vectors', () => {
  let hybrid: SearchedCollection;
  beforeAll(async () => {
    hybrid = await filled('hybrid', EMBEDDING);
  });

  test('is searched by both; each passage has its cosine, and equal contents come once', async () => {
    const { passages, vectorFailure } = await using(embedder(), (made) =>
      search([hybrid], 'что такое осмос клетки', made),
    );

    expect(vectorFailure).toBeUndefined();
    expect(passages[0]?.text).toContain('Осмос');
    expect(passages.filter(({ text }) => text.includes('Осмос'))).toHaveLength(1);
    for (const { similarity } of passages) expect(similarity).toBeGreaterThan(-1);
    const [best, ...others] = passages.map(({ similarity }) => similarity ?? 0);
    expect(best).toBeGreaterThan(Math.max(...others));
    // Fused by rank: the first of both lists has 1/2 of each, the score of no cosine and no BM25.
    expect(passages[0]?.score).toBeLessThanOrEqual(1);
  });

  test('finds ё where it is written as е, and the other way round', async () => {
    for (const question of ['ставят елку', 'ставят ёлку']) {
      const { passages } = await using(embedder(), (made) => search([hybrid], question, made));
      expect(passages[0]?.source).toBe('ёлка.md');
    }
  });

  test('gives a course nothing of another one, by words and by vectors', async () => {
    const { passages } = await using(embedder(), (made) => search([hybrid], 'осмос', made, 'other'));
    expect(passages).toEqual([]);
  });

  test('gives the same order each time', async () => {
    const ask = () => using(embedder(), (made) => search([hybrid], 'хранит движение декабря', made));
    const first = sources((await ask()).passages);
    expect(first).toHaveLength(3);
    expect(sources((await ask()).passages)).toEqual(first);
  });

  test('is searched by words alone while the embedding server is down, which is told', async () => {
    const down = embedder('http://127.0.0.1:9');
    const { passages, failures, vectorFailure } = await using(down, (made) => search([hybrid], 'осмос', made));

    expect(passages[0]?.text).toContain('Осмос');
    expect(passages.every(({ similarity }) => similarity === undefined)).toBe(true);
    expect(failures.size).toBe(0);
    expect(vectorFailure).toMatchObject({ kind: 'unreachable' });
  });

  test('takes no vectors of another model, nor of another dimension', async () => {
    for (const other of [{ model: 'other' }, { dimension: 128 }]) {
      const made = new OpenAiEmbedder({ url: tei.url, ...EMBEDDING, ...other, credential, timeoutMs: 10_000 });
      await expect(QdrantPassageStore.open(url, credential, 'hybrid', made)).rejects.toThrow('was made otherwise');
    }
    await expect(QdrantPassageStore.open(url, credential, 'hybrid')).rejects.toThrow('no embedding server was given');
  });

  test.each([
    ['no vectors', undefined, 'it has dense vectors'],
    ['vectors of another model', { model: 'other', dimension: 256 }, 'its embedding is "owner/model", not other'],
    ['vectors of another length', { ...EMBEDDING, dimension: 128 }, 'its vector dense has 256 numbers, not 128'],
  ])('is refused by a stack that wants %s', async (_, embedding, difference) => {
    await expect(ensureCollection(http, 'hybrid', { language: 'russian', embedding })).rejects.toThrow(difference);
  });

  test('a dimension that the server does not have is told before anything is compared', async () => {
    const made = new OpenAiEmbedder({ url: tei.url, ...EMBEDDING, dimension: 64, credential, timeoutMs: 10_000 });
    await using(made, async () => {
      const { vectorFailure } = await search([hybrid], 'осмос', made);
      expect(vectorFailure).toMatchObject({ kind: 'mismatch' });
    });
  });
});

test('each collection gives what its own limit allows, with and without vectors side by side', async () => {
  const words = await filled('words', undefined);
  const both = await filled('both', EMBEDDING);
  const { passages } = await using(embedder(), (made) =>
    search(
      [
        { ...words, limit: 1 },
        { ...both, limit: 2 },
      ],
      'осмос база ёлка',
      made,
    ),
  );
  expect(passages.filter(({ collection }) => collection === 'words')).toHaveLength(1);
  expect(passages.filter(({ collection }) => collection === 'both').length).toBeLessThanOrEqual(2);
  const contents = passages.map(({ contentHash }) => contentHash);
  expect(new Set(contents).size).toBe(contents.length);
});

describe('a collection of LangChain', () => {
  const lang: SearchedCollection = {
    name: 'DS_local_new2',
    language: 'russian',
    layout: 'langchain',
    limit: 2,
    embedding: EMBEDDING,
  };

  beforeAll(async () => {
    await client.createCollection(lang.name, { vectors: { size: EMBEDDING.dimension, distance: 'Cosine' } });
    const texts = ['Осмос идёт через мембрану.', 'Курс начинается осенью.', 'База хранит векторы.'];
    const vectors = await using(embedder(), (made) => made.embed(texts, signal));
    await client.upsert(lang.name, {
      wait: true,
      points: texts.map((text, index) => ({
        id: index,
        vector: [...(vectors[index] ?? [])],
        payload: { page_content: text, metadata: { source: `doc${index}.pdf`, course: index === 1 ? 'b' : 'a' } },
      })),
    });
  });

  test('is read as it is: an unnamed vector, page_content and metadata', async () => {
    const { passages } = await using(embedder(), (made) => search([lang], 'мембрана и осмос', made));
    expect(passages).toHaveLength(2);
    expect(passages[0]).toMatchObject({
      text: 'Осмос идёт через мембрану.',
      source: 'doc0.pdf',
      title: 'doc0.pdf',
      heading: '',
    });
    expect(passages[0]?.similarity).toBe(passages[0]?.score);
    expect(passages[0]?.contentHash).toBe(hashOf('', 'Осмос идёт через мембрану.'));
  });

  test('says courses where it is told to', async () => {
    const inCourse = (course: string) =>
      using(embedder(), (made) => search([{ ...lang, courseField: 'metadata.course' }], 'осмос', made, course));
    expect(sources((await inCourse('b')).passages)).toEqual(['doc1.pdf']);
    expect((await inCourse('c')).passages).toEqual([]);
  });

  test('cannot be searched without vectors, which fails it and nothing else', async () => {
    const words: SearchedCollection = { name: 'words', language: 'russian', limit: 1 };
    const { passages, failures } = await using(embedder('http://127.0.0.1:9'), (made) =>
      search([lang, words], 'осмос', made),
    );
    expect(failures.get(lang.name)?.message).toContain('found by vectors alone');
    expect(passages).toHaveLength(1);
  });

  test('is checked: dimension, distance, and that it is one', async () => {
    await client.createCollection('dot', { vectors: { size: 4, distance: 'Dot' } });
    await expect(checkLangChainCollection(http, lang.name, EMBEDDING.dimension)).resolves.toBeUndefined();
    await expect(checkLangChainCollection(http, lang.name, 8)).rejects.toThrow('its vectors have 256 numbers, not 8');
    await expect(checkLangChainCollection(http, 'dot', 4)).rejects.toThrow('compared by Dot, not Cosine');
    await expect(checkLangChainCollection(http, 'words', 4)).rejects.toThrow('it has no vector without a name');
    await expect(checkLangChainCollection(http, 'nowhere', 4)).rejects.toThrow('there is no collection nowhere');
  });
});

describe('a measuring', () => {
  const SUBJECTS = ['осмос', 'мембрана', 'вектор', 'индекс', 'запрос', 'токен', 'диск', 'сеть', 'ключ', 'ёлка'];
  const PASSAGES = SUBJECTS.map((subject, index) => ({
    id: String(index),
    title: '',
    text: `${subject} описан в главе`,
  }));
  const QUESTIONS = SUBJECTS.map((subject, index) => ({ id: `q${index}`, text: `Где описан ${subject}?` }));
  const PLAN = {
    run: '20261127t100000z-aaaaaa',
    liveRuns: [] as string[],
    language: 'russian' as const,
    like: 'nowhere',
    passages: PASSAGES.length,
    questions: QUESTIONS.length,
  };
  const environment = () => ({
    QDRANT_URL: url,
    QDRANT_API_KEY_FILE: join(folder, 'key'),
    EMBEDDINGS_URL: tei.url,
    EMBEDDINGS_API_KEY_FILE: join(folder, 'key'),
  });
  const names = async () => (await client.getCollections()).collections.map(({ name }) => name).sort();

  async function measure(plan: object, lines: readonly object[] = [...PASSAGES, ...QUESTIONS], terminated = signal) {
    const written: string[] = [];
    const input = (async function* () {
      for (const line of [{ ...PLAN, ...plan }, ...lines]) yield Buffer.from(`${JSON.stringify(line)}\n`);
    })();
    const exit = await operatorEval(environment(), input, (text) => void written.push(text), terminated);
    return { exit, events: written.map((line) => JSON.parse(line)) };
  }

  test.each([
    ['by words', {}, 'words'],
    ['by words and vectors', { embedding: EMBEDDING }, 'words and vectors'],
  ])('%s finds every subject, and leaves the collections as they were', async (_, plan, by) => {
    const before = await names();
    const { exit, events } = await measure({ ...plan, limit: 3 });

    expect(exit).toBe(0);
    expect(events.at(-1)).toEqual({ event: 'done', by });
    const found = events.filter(({ event }) => event === 'found');
    expect(found.map(({ id, ranking }) => [id, ranking[0]]).sort()).toEqual(
      QUESTIONS.map(({ id }, index) => [id, String(index)]),
    );
    for (const { similarity, support } of found) {
      expect(support).toBeGreaterThan(0);
      expect(typeof similarity).toBe(by === 'words' ? 'undefined' : 'number');
    }
    expect(await names()).toEqual(before);
  });

  test('has the scale of the collection that it is made after', async () => {
    const supports = async (like: string) => {
      const { events } = await measure({ like, limit: 3 });
      return events.filter(({ event }) => event === 'found').map(({ support }) => support as number);
    };
    const { metadata, ...definition } = collectionDefinition({ language: 'russian' });
    const { average_length: _, ...older } = metadata as { average_length?: number };
    const put = (name: string, body: object) =>
      http.call({ method: 'PUT', path: `/collections/${name}`, body, timeoutMs: 30_000, idempotent: false });
    await put('made-now', { ...definition, metadata });
    await put('made-before', { ...definition, metadata: older });
    const [fresh, same, before] = [
      await supports('nowhere'),
      await supports('made-now'),
      await supports('made-before'),
    ];

    expect(same).toEqual(fresh);
    // Short texts say more where texts are taken to be long.
    for (const [index, support] of before.entries()) expect(support).toBeGreaterThan(fresh[index] ?? Infinity);
    for (const name of ['made-now', 'made-before']) await client.deleteCollection(name);
  });

  test('makes its collection as the stack makes them', async () => {
    const terminated = new AbortController();
    let info: Awaited<ReturnType<QdrantClient['getCollection']>> | undefined;
    const input = (async function* () {
      yield Buffer.from(`${JSON.stringify({ ...PLAN, embedding: EMBEDDING })}\n`);
      await until('the collection is there', async () => (await names()).includes(`ragdock-eval-${PLAN.run}`));
      await until('it is whole', async () => {
        info = await client.getCollection(`ragdock-eval-${PLAN.run}`);
        return Object.keys(info.payload_schema).length === 2;
      });
      terminated.abort(new Error('told to end'));
      for (const passage of PASSAGES) yield Buffer.from(`${JSON.stringify(passage)}\n`);
    })();
    const written: string[] = [];
    const exit = await operatorEval(environment(), input, (text) => void written.push(text), terminated.signal);

    expect(info?.config).toMatchObject({
      params: { vectors: { dense: { size: 256, distance: 'Cosine' } }, sparse_vectors: { bm25: { modifier: 'idf' } } },
      strict_mode_config: { enabled: true, max_query_limit: 1000 },
      metadata: { embedding: 'owner/model', language: 'russian' },
    });
    expect(exit).toBe(1);
    expect(JSON.parse(written.at(-1) ?? '')).toEqual({ event: 'error', detail: 'told to end' });
    expect(await names()).not.toContain(`ragdock-eval-${PLAN.run}`);
  });

  test('whose input breaks off takes its collection away', async () => {
    const { exit, events } = await measure({}, PASSAGES.slice(0, 3));
    expect({ exit, last: events.at(-1) }).toEqual({
      exit: 1,
      last: { event: 'error', detail: 'the input ended before its end' },
    });
    expect((await names()).filter((name) => name.startsWith('ragdock-eval-'))).toEqual([]);
  });

  test('removes what cut-off measurings left, and nothing of one that is alive or of anybody else', async () => {
    const left = [
      'ragdock-eval-20261127t090000z-dead00',
      'ragdock-eval-20261127t090000z-alive0',
      'ragdock-eval-notes',
      'user-data',
    ];
    for (const name of left) await ensureCollection(http, name, { language: 'russian' });
    await measure({ liveRuns: ['20261127t090000z-alive0'] });

    expect(await names()).toEqual(expect.arrayContaining(left.slice(1)));
    expect(await names()).not.toContain(left[0]);
    for (const name of left.slice(1)) await client.deleteCollection(name);
  });

  test('at an address: the whole command, by words and vectors', async () => {
    const set = join(folder, 'set');
    mkdirSync(set, { recursive: true });
    const lines = (items: readonly object[]) => items.map((item) => JSON.stringify(item)).join('\n');
    writeFileSync(join(set, 'corpus.jsonl'), lines(PASSAGES.map(({ id, text }) => ({ _id: id, text }))));
    writeFileSync(join(set, 'queries.jsonl'), lines(QUESTIONS.map(({ id, text }) => ({ _id: id, text }))));
    writeFileSync(join(set, 'qrels.tsv'), QUESTIONS.map(({ id }, index) => `${id}\t${index}\t1`).join('\n'));
    const before = await names();
    const at = [
      ...['--qdrant-url', url, '--qdrant-key-file', join(folder, 'key.v1'), '--embeddings-url', tei.url],
      ...['--embeddings-model', EMBEDDING.model, '--embeddings-dimension', '256'],
    ];
    const options = { cwd: folder, env: { EMBEDDINGS_API_KEY: KEY } };
    const { exit, stdout, stderr } = await ragdock(['eval', 'set', '--json', ...at], options);

    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      by: 'words and vectors',
      queries: 10,
      metrics: { 'ndcg@10': { value: 1 } },
    });
    const calibrated = await ragdock(['calibrate', 'set', ...at], options);
    expect(calibrated.stdout).toMatch(/gate:\n {6}similarity: [\d.]+\n {6}support: [\d.]+\n$/);
    const refused = await ragdock(['eval', 'set', '--qdrant-url', url], {
      ...options,
      env: { QDRANT_API_KEY: 'wrong' },
    });
    expect(refused.exit).toBe(3);
    expect(refused.stderr).not.toContain('wrong');
    expect(await names()).toEqual(before);
  });
});
