import { QdrantClient } from '@qdrant/js-client-rest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { QdrantProcess, storageFolder } from './qdrant/harness/server.js';

const MODEL = 'qdrant/bm25';
const RUSSIAN = { language: 'russian' };

/** What a client library sees of the stand-in: the one that ragdock's services use. */
describe('search through the client library', () => {
  let folder: Awaited<ReturnType<typeof storageFolder>>;
  let server: QdrantProcess;
  let client: QdrantClient;

  beforeAll(async () => {
    folder = await storageFolder();
    server = await QdrantProcess.start(folder.path);
    client = new QdrantClient({ url: `http://127.0.0.1:${server.port}` });
  });

  afterAll(async () => {
    await server.stop();
    await folder.remove();
  });

  async function collection(name: string, documents: readonly (readonly [text: string, course: string])[]) {
    await client.createCollection(name, {
      vectors: { dense: { size: 2, distance: 'Cosine' } },
      sparse_vectors: { bm25: { modifier: 'idf' } },
    });
    await client.createPayloadIndex(name, { field_name: 'course', field_schema: 'keyword', wait: true });
    await client.upsert(name, {
      wait: true,
      points: documents.map(([text, course], index) => ({
        id: index + 1,
        vector: { dense: [1, index], bm25: { text, model: MODEL, options: RUSSIAN } },
        payload: { text, course },
      })),
    });
  }

  async function found(name: string, text: string, options: object | undefined, filter?: object): Promise<string[]> {
    const { points } = await client.query(name, {
      query: { text, model: MODEL, ...(options === undefined ? {} : { options }) },
      using: 'bm25',
      with_payload: ['text'],
      limit: 10,
      ...(filter === undefined ? {} : { filter }),
    });
    return points.map(({ payload }) => String(payload?.text)).sort();
  }

  describe('BM25 in Russian', () => {
    const documents = ['Курс длинный', 'курсы и курсов', 'КУРСА нет', 'обучение', 'ёлка'] as const;

    beforeAll(() =>
      collection(
        'russian',
        documents.map((text) => [text, 'a'] as const),
      ),
    );

    test.each(['курс', 'курсы', 'курса', 'курсов', 'КУРС'])('%s is one token in all its forms', async (word) => {
      expect(await found('russian', word, RUSSIAN)).toEqual(['КУРСА нет', 'Курс длинный', 'курсы и курсов']);
    });

    test('обучение and обучения are one token', async () => {
      expect(await found('russian', 'обучения', RUSSIAN)).toEqual(['обучение']);
    });

    test('stop words find nothing', async () => {
      expect(await found('russian', 'и не что', RUSSIAN)).toEqual([]);
    });

    test('ё and е are two letters, with ascii_folding too', async () => {
      expect(await found('russian', 'елка', RUSSIAN)).toEqual([]);
      expect(await found('russian', 'елка', { ...RUSSIAN, ascii_folding: true })).toEqual([]);
      expect(await found('russian', 'ёлка', RUSSIAN)).toEqual(['ёлка']);
    });

    test.each([
      ['no language means English', undefined],
      ['a capital in the language', { language: 'Russian' }],
      ['a misspelt option', { lang: 'russian' }],
      ['a language that does not exist', { language: 'klingon' }],
    ])('%s: no error, and nothing found', async (_, options) => {
      expect(await found('russian', 'обучения', options)).toEqual([]);
    });
  });

  test('the rarity of a word is counted in the whole collection, or in the corpus that is asked for', async () => {
    const documents = Array.from({ length: 40 }, (_, index) => {
      const rare = index % 20 === 0;
      return [rare ? 'общий питон' : 'общий', rare || index % 4 === 0 ? 'y' : 'x'] as const;
    });
    await collection('idf', documents);
    const score = async (filter?: object, corpus?: object): Promise<number> => {
      const { points } = await client.query('idf', {
        query: { text: 'питон', model: MODEL, options: RUSSIAN },
        using: 'bm25',
        ...(filter === undefined ? {} : { filter }),
        ...(corpus === undefined ? {} : { params: { idf: { corpus } } }),
      });
      expect(points).toHaveLength(2);
      return points[0]?.score ?? Number.NaN;
    };
    const onlyY = { must: [{ key: 'course', match: { value: 'y' } }] };
    // idf = ln((N - n + 0.5) / (n + 0.5) + 1): of 40 documents, and of the 10 of course y, 2 have the word.
    const idf = (population: number) => Math.log((population - 2 + 0.5) / (2 + 0.5) + 1);
    const weight = (await score()) / idf(40);
    expect(await score(onlyY)).toBeCloseTo(weight * idf(40), 4);
    expect(await score(undefined, onlyY)).toBeCloseTo(weight * idf(10), 4);
  });

  test('a hybrid query fuses by rank, filters both lists, and is cut off by the fused score', async () => {
    await collection('hybrid', [
      ['питон', 'a'],
      ['модели', 'a'],
      ['обучение модели', 'b'],
      ['прочее', 'b'],
    ]);
    const request = {
      prefetch: [
        { query: [1, 0], using: 'dense', limit: 10 },
        { query: { text: 'модель', model: MODEL, options: RUSSIAN }, using: 'bm25', limit: 10 },
      ],
      query: { fusion: 'rrf' as const },
      limit: 10,
    };
    const { points } = await client.query('hybrid', request);
    // Dense ranks 1 2 3 4; BM25 has 2 (the shorter text) before 3. A rank r, from 0, adds 1 / (2 + r).
    const scores = new Map(points.map(({ id, score }) => [id, score]));
    expect([...scores.keys()]).toEqual([2, 3, 1, 4]);
    expect(scores.get(2)).toBeCloseTo(1 / 3 + 1 / 2, 5);
    expect(scores.get(3)).toBeCloseTo(1 / 4 + 1 / 3, 5);
    expect(scores.get(1)).toBeCloseTo(1 / 2, 5);
    expect(scores.get(4)).toBeCloseTo(1 / 5, 5);

    const filter = { must: [{ key: 'course', match: { value: 'b' } }] };
    const filtered = await client.query('hybrid', { ...request, filter });
    expect(filtered.points.map(({ id, score }) => [id, score])).toEqual([
      [3, 1],
      [4, expect.closeTo(1 / 3, 5)],
    ]);
    const above = await client.query('hybrid', { ...request, score_threshold: 0.55 });
    expect(above.points.map(({ id }) => id)).toEqual([2, 3]);
  });

  test('the client tells a wrong dimension, a missing collection and a taken name apart', async () => {
    await collection('errors', [['текст', 'a']]);
    await expect(client.upsert('errors', { points: [{ id: 1, vector: { dense: [1] } }] })).rejects.toMatchObject({
      status: 400,
      data: { status: { error: "Wrong input: Vector dimension error: expected dim: 2, got 1 for vector 'dense'" } },
    });
    await expect(client.getCollection('nowhere')).rejects.toMatchObject({ status: 404 });
    await expect(client.createCollection('errors', { vectors: {} })).rejects.toMatchObject({ status: 409 });
    expect(await client.collectionExists('nowhere')).toEqual({ exists: false });
  });
});
