import { beforeEach, describe, expect, test } from 'vitest';
import { EmbeddedPassages } from '../../src/embedded/passages.js';
import { type DocumentReport, ingest } from '../../src/rag/ingest/ingest.js';
import { retrieve } from '../../src/rag/retrieve.js';
import { sharedDatabase } from '../support/database.js';

const COLLECTIONS = [
  { name: 'material', limit: 3 },
  { name: 'questions', limit: 1 },
];
const GNOMON = '# Часы\n\nГномон отбрасывает тень на циферблат.\n';

const shared = sharedDatabase();
const signal = new AbortController().signal;
let passages: EmbeddedPassages;

const open = () => EmbeddedPassages.open(shared.current, COLLECTIONS);

beforeEach(async () => {
  passages = await open();
  await shared.current.query({ text: 'DELETE FROM embedded.passages', values: [] });
  passages = await open();
});

async function bring(content: string, { path = 'a.md', course = 'demo', collection = 'material' } = {}) {
  const reports: DocumentReport[] = [];
  for await (const report of ingest([{ path, content }], passages.store(collection), course)) reports.push(report);
  return reports[0];
}

/** The texts that a question finds in a collection. */
async function find(question: string, { course = 'demo', collection = 'material', of = passages } = {}) {
  const { collections: results } = await of.search(question, course, signal);
  const result = results.find((one) => one.collection === collection);
  return result && 'passages' in result ? result.passages.map(({ text }) => text) : undefined;
}

async function rows(): Promise<number> {
  const text = 'SELECT count(*)::integer AS count FROM embedded.passages';
  return (await shared.current.query<{ count: number }>({ text, values: [] })).rows[0]?.count ?? -1;
}

describe('a document', () => {
  test('that is new is found, with all that is known of its passage', async () => {
    expect(await bring(GNOMON)).toEqual({ path: 'a.md', chunks: 1, status: 'new' });
    const { collections } = await passages.search('тени гномона', 'demo', signal);
    const [material, questions] = collections;
    expect(material).toEqual({
      collection: 'material',
      limit: 3,
      passages: [
        {
          collection: 'material',
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          text: GNOMON.trim(),
          source: 'a.md',
          title: 'Часы',
          heading: '',
          contentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
          score: expect.any(Number),
        },
      ],
    });
    expect(questions).toEqual({ collection: 'questions', limit: 1, passages: [] });
  });

  test('that is there already is unchanged', async () => {
    await bring(GNOMON);
    expect(await bring(GNOMON)).toMatchObject({ status: 'unchanged' });
    expect(await rows()).toBe(1);
  });

  test('that was changed is found by its new text, and its old one is gone from index and table', async () => {
    await bring(GNOMON);
    expect(await bring('# Часы\n\nПолуденная метка показывает истинный полдень.\n')).toMatchObject({
      status: 'updated',
    });
    expect(await find('гномон')).toEqual([]);
    expect(await find('полдень')).toHaveLength(1);
    expect(await rows()).toBe(1);
    expect(await find('гномон', { of: await open() })).toEqual([]);
  });

  test('whose title alone was changed has the new one after a start, too', async () => {
    await bring('---\ntitle: Старое\n---\nГномон отбрасывает тень.');
    expect(await bring('---\ntitle: Новое\n---\nГномон отбрасывает тень.')).toMatchObject({ status: 'updated' });
    for (const of of [passages, await open()]) {
      const { collections } = await of.search('гномон', 'demo', signal);
      const [material] = collections;
      expect(material).toMatchObject({ passages: [{ title: 'Новое' }] });
      expect(await find('старое', { of })).toEqual([]);
    }
  });

  test('that cannot be stored is found by nobody', async () => {
    await expect(
      passages.store('material').put([
        {
          id: 'no uuid',
          text: 'Гномон',
          source: 'a',
          title: '',
          heading: '',
          course: 'demo',
          contentHash: '',
          documentHash: '',
          chunk: 0,
        },
      ]),
    ).rejects.toMatchObject({ code: '22P02' });
    expect(await find('гномон')).toEqual([]);
    expect(await rows()).toBe(0);
  });
});

describe('a search', () => {
  test('looks into its course alone', async () => {
    await bring(GNOMON, { course: 'one' });
    await bring(GNOMON, { course: 'two', path: 'b.md' });
    expect(await find('гномон', { course: 'one' })).toHaveLength(1);
    expect(await find('гномон', { course: 'three' })).toEqual([]);
  });

  test('gives each collection its own, and no more than its limit, in the configured order', async () => {
    for (const path of ['a.md', 'b.md', 'c.md', 'd.md']) {
      await bring(`Гномон из ${path}.`, { path });
      await bring(`Вопрос о гномоне из ${path}.`, { path, collection: 'questions' });
    }
    const { passages: taken } = await retrieve(passages, 'гномон', 'demo', signal);
    expect(taken.map(({ collection }) => collection)).toEqual(['material', 'material', 'material', 'questions']);
  });

  test('gives no place of another text to a copy', async () => {
    for (const path of ['a.md', 'b.md', 'c.md', 'd.md']) await bring(GNOMON, { path });
    const other = 'Про гномон говорится и в другом тексте, который длиннее этого.';
    await bring(other, { path: 'e.md' });
    const { passages: taken } = await retrieve(passages, 'гномон', 'demo', signal);
    expect(taken.map(({ text }) => text)).toEqual([GNOMON.trim(), other]);
  });

  test('finds a passage by the title and the headings above it', async () => {
    await bring('# Астролябия\n\n## Устройство\n\nСостоит из диска и кольца.\n');
    expect(await find('астролябия')).toHaveLength(1);
  });

  test('is the same after a start', async () => {
    await bring(`${GNOMON}\n${'Тень короче летом, чем зимой, и гномон ни при чем. '.repeat(60)}`);
    await bring('A gnomon casts a shadow; тень длиннее вечером.', { path: 'b.txt' });
    const before = await passages.search('тень гномона, shadow', 'demo', signal);
    expect(before.collections[0]).toMatchObject({
      passages: expect.arrayContaining([expect.objectContaining({ source: 'b.txt' })]),
    });
    expect(await (await open()).search('тень гномона, shadow', 'demo', signal)).toEqual(before);
  });

  test('ends with the reason of an abort', async () => {
    const reason = new Error('the client is gone');
    await expect(passages.search('гномон', 'demo', AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

test('documents whose name begins so are removed from all courses, and others are not', async () => {
  await bring(GNOMON, { path: 'smoke/1.md' });
  await bring(GNOMON, { path: 'smoke/2.md', course: 'other' });
  await bring(GNOMON, { path: 'smoke_3.md' });
  await passages.removeSources('material', 'smoke/');
  expect(await rows()).toBe(1);
  expect(await find('гномон', { course: 'other' })).toEqual([]);
  expect(await find('гномон')).toHaveLength(1);
});

test('the courses are those that have passages, sorted, each once', async () => {
  expect(passages.courses).toEqual([]);
  await bring(GNOMON, { course: 'two' });
  await bring(GNOMON, { course: 'one', collection: 'questions' });
  await bring(GNOMON, { course: 'two', path: 'b.md' });
  expect(passages.courses).toEqual(['one', 'two']);
  expect((await open()).courses).toEqual(['one', 'two']);
});

test('there is no store for a collection that is none', () => {
  expect(() => passages.store('other')).toThrow('there is no collection other');
});
