import { describe, expect, test } from 'vitest';
import { passageId } from '../../src/rag/ingest/identity.js';
import { type DocumentReport, ingest, passagesOf, type SourceDocument } from '../../src/rag/ingest/ingest.js';
import type { StoredPassage } from '../../src/rag/ports.js';
import { MemoryStore } from '../support/rag-parts.js';

const paragraph = (word: string) => `${`Предложение про ${word}. `.repeat(60)}\n\n`;
const long = (words: readonly string[]) => `# Курс\n\n${words.map(paragraph).join('')}`;

async function run(store: MemoryStore, ...documents: SourceDocument[]): Promise<DocumentReport[]> {
  const reports: DocumentReport[] = [];
  for await (const report of ingest(documents, store, 'demo')) reports.push(report);
  return reports.sort((a, b) => (a.path < b.path ? -1 : 1));
}

describe('passageId', () => {
  test('is a UUID of version 5 that depends on each part', () => {
    const id = passageId('demo', 'a.md', 0, 'hash');
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(passageId('demo', 'a.md', 0, 'hash')).toBe(id);
    const others = [
      passageId('other', 'a.md', 0, 'hash'),
      passageId('demo', 'b.md', 0, 'hash'),
      passageId('demo', 'a.md', 1, 'hash'),
      passageId('demo', 'a.md', 0, 'other'),
      passageId('demoa', '.md', 0, 'hash'),
    ];
    expect(new Set([id, ...others]).size).toBe(6);
  });

  test('is not changed by a new version of ragdock', () => {
    expect(passageId('demo', 'a.md', 0, 'hash')).toBe('8848d189-96ca-51b0-bbfa-05a2eb379c94');
  });
});

/** Pairs as they come from a file of questions and answers. */
function pairs(...answers: readonly (readonly [question: string, answer: string])[]): SourceDocument {
  const children = answers.map(([heading, answer]) => ({ heading, headingLine: '', blocks: [answer], children: [] }));
  const root = { heading: '', headingLine: '', blocks: [], children };
  return { path: 'faq.jsonl', parsed: { title: 'faq', root, apart: true } };
}

describe('a file of questions and answers', () => {
  const shown = (store: MemoryStore) => [...store.passages.values()].map(({ heading, text }) => `${heading} ${text}`);

  test('is a passage for each pair, however short they are', async () => {
    const store = new MemoryStore();
    expect(await run(store, pairs(['Что?', 'То.'], ['Где?', 'Там.']))).toMatchObject([{ chunks: 2, status: 'new' }]);
    expect(shown(store)).toEqual(['Что? То.', 'Где? Там.']);
  });

  test('replaces a changed pair alone, wherever it stands', async () => {
    const store = new MemoryStore();
    await run(store, pairs(['Что?', 'То.'], ['Где?', 'Там.'], ['Когда?', 'Тогда.']));
    const before = new Map(store.passages);
    store.calls.length = 0;
    const changed = pairs(['Зачем?', 'Незачем.'], ['Что?', 'То.'], ['Когда?', 'Тогда.'], ['Где?', 'Здесь.']);
    expect(await run(store, changed)).toMatchObject([{ chunks: 4, status: 'updated' }]);

    expect(store.calls).toEqual(['put 2', 'adopt 2', 'remove']);
    expect([...store.passages.keys()].filter((id) => before.has(id))).toHaveLength(2);
    expect(shown(store).sort()).toEqual(['Где? Здесь.', 'Зачем? Незачем.', 'Когда? Тогда.', 'Что? То.']);
    expect(await run(store, changed)).toMatchObject([{ status: 'unchanged' }]);
  });

  test('keeps two answers to one question, and one of two equal pairs', async () => {
    const store = new MemoryStore();
    const document = pairs(['Что?', 'То.'], ['Что?', 'Это.'], ['Что?', 'То.']);
    expect(await run(store, document)).toMatchObject([{ chunks: 2, status: 'new' }]);
    expect(await run(store, document)).toMatchObject([{ chunks: 2, status: 'unchanged' }]);
  });

  test('cuts a long answer, all of it under its question', async () => {
    const store = new MemoryStore();
    await run(store, pairs(['Что?', 'Это предложение. '.repeat(300)], ['Где?', 'Там.']));
    const passages = [...store.passages.values()];
    expect(passages.length).toBeGreaterThan(3);
    expect(passages.map(({ heading, chunk }) => `${heading} ${chunk}`)).toEqual([
      ...passages.slice(0, -1).map((_, index) => `Что? ${index}`),
      'Где? 0',
    ]);
  });

  test('hides nothing: what is invisible is left out of every part', async () => {
    const store = new MemoryStore();
    await run(store, pairs(['Что\u200b?', 'То\u{E0041}\u{E0042}\u202e.'], ['\u200b', '\u2060']));
    expect(shown(store)).toEqual(['Что? То.']);
  });
});

describe('ingest', () => {
  test('stores a new document and says so', async () => {
    const store = new MemoryStore();
    expect(await run(store, { path: './docs/a.md', content: '# Курс\n\nТекст.' })).toEqual([
      { path: './docs/a.md', chunks: 1, status: 'new' },
    ]);
    expect([...store.passages.values()]).toEqual([
      {
        id: expect.any(String),
        text: '# Курс\n\nТекст.',
        source: 'docs/a.md',
        title: 'Курс',
        heading: '',
        course: 'demo',
        contentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        documentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        chunk: 0,
      },
    ]);
  });

  test('changes nothing when nothing changed', async () => {
    const store = new MemoryStore();
    const documents = [
      { path: 'a.md', content: long(['один', 'два', 'три']) },
      { path: 'b.txt', content: 'Текст.' },
    ];
    await run(store, ...documents);
    const calls = [...store.calls];
    expect((await run(store, ...documents)).map(({ status }) => status)).toEqual(['unchanged', 'unchanged']);
    expect(store.calls).toEqual(calls);
  });

  test('replaces a changed document: the new passages first, then the old ones go', async () => {
    const store = new MemoryStore();
    await run(store, { path: 'a.md', content: long(['один', 'два', 'три', 'четыре']) });
    store.calls.length = 0;
    const [report] = await run(store, { path: 'a.md', content: long(['один', 'пять']) });
    expect(report).toMatchObject({ status: 'updated' });
    // The first passage is the same in both.
    expect(store.calls).toEqual(['put 1', 'adopt 1', 'remove']);
    const wanted = passagesOf({ path: 'a.md', content: long(['один', 'пять']) }, { course: 'demo', source: 'a.md' });
    expect([...store.passages.values()].sort((a, b) => a.chunk - b.chunk)).toEqual(wanted);
  });

  test('leaves other documents and courses alone', async () => {
    const store = new MemoryStore();
    const other: DocumentReport[] = [];
    for await (const report of ingest([{ path: 'a.md', content: 'Другой курс.' }], store, 'other')) other.push(report);
    await run(store, { path: 'a.md', content: 'Один.' }, { path: 'b.md', content: 'Два.' });
    await run(store, { path: 'a.md', content: 'Один, исправлено.' });
    expect(
      [...store.passages.values()].map(({ course, source, text }) => `${course} ${source} ${text}`).sort(),
    ).toEqual(['demo a.md Один, исправлено.', 'demo b.md Два.', 'other a.md Другой курс.']);
  });

  test('takes away what an emptied document held, and nothing else', async () => {
    const store = new MemoryStore();
    const texts = () => [...store.passages.values()].map(({ text }) => text);
    await run(store, { path: 'a.md', content: long(['один', 'два', 'три']) }, { path: 'b.md', content: 'Два.' });
    const held = store.passages.size - 1;
    for (const removed of [held, 0]) {
      const [report] = await run(store, { path: 'a.md', content: ' \n' });
      expect(report).toEqual({
        ...{ path: 'a.md', chunks: 0, status: 'failed', removed },
        error: 'the document holds no text',
      });
      expect(texts()).toEqual(['Два.']);
    }
    await run(store, { path: 'b.pdf', content: 'Два.' });
    expect(texts()).toEqual(['Два.']);
  });

  test('completes what an interrupted run left half done', async () => {
    const store = new MemoryStore();
    const document = { path: 'a.md', content: long(Array.from({ length: 60 }, (_, index) => `слово ${index}`)) };
    let puts = 0;
    store.beforePut = () => {
      puts += 1;
      if (puts === 2) throw new Error('the connection broke');
    };
    expect(await run(store, document)).toMatchObject([{ status: 'failed', error: 'the connection broke' }]);
    expect(store.passages.size).toBe(32);
    store.beforePut = () => undefined;
    expect(await run(store, document)).toMatchObject([{ status: 'updated' }]);
    expect(store.passages.size).toBe(passagesOf(document, { course: 'demo', source: 'a.md' }).length);
    expect(await run(store, document)).toMatchObject([{ status: 'unchanged' }]);
  });

  test('sends only what is missing, and all of it under a new title', async () => {
    const store = new MemoryStore();
    const words = Array.from({ length: 6 }, (_, index) => `слово ${index}`);
    const passages = async (content: string) => {
      store.calls.length = 0;
      await run(store, { path: 'a.md', content });
      const wanted = passagesOf({ path: 'a.md', content }, { course: 'demo', source: 'a.md' });
      expect([...store.passages.values()].sort((a, b) => a.chunk - b.chunk)).toEqual(wanted);
      return wanted.length;
    };
    await passages(long(words));
    const all = await passages(long([...words.slice(0, 5), 'другое']));
    expect(store.calls).toEqual(['put 1', `adopt ${all - 1}`, 'remove']);
    await passages(`---\ntitle: Новый\n---\n${long([...words.slice(0, 5), 'другое'])}`);
    expect(store.calls).toEqual([`put ${all}`, 'remove']);
  });

  test('takes nothing away before all that stays is part of the new version', async () => {
    const store = new MemoryStore();
    const words = Array.from({ length: 6 }, (_, index) => `слово ${index}`);
    await run(store, { path: 'a.md', content: long(words) });
    const changed = { path: 'a.md', content: long([...words.slice(0, 5), 'другое']) };
    const adopt = store.adopt.bind(store);
    const removed: string[] = [];
    store.adopt = async (ids, documentHash) => {
      const [gone] = ids;
      // Somebody removes one of them, and Qdrant stops there.
      if (removed.length > 0 || gone === undefined) return adopt(ids, documentHash);
      removed.push(gone);
      store.passages.delete(gone);
      store.calls.length = 0;
      return false;
    };
    expect(await run(store, changed)).toMatchObject([{ status: 'updated' }]);
    expect(store.calls.map((call) => call.split(' ')[0])).toEqual(['put', 'adopt', 'remove']);
    const wanted = passagesOf(changed, { course: 'demo', source: 'a.md' });
    expect([...store.passages.values()].sort((a, b) => a.chunk - b.chunk)).toEqual(wanted);
  });

  test('tells of each batch that is stored', async () => {
    const store = new MemoryStore();
    const stored: number[] = [];
    const content = long(Array.from({ length: 60 }, (_, index) => `слово ${index}`));
    for await (const _ of ingest([{ path: 'a.md', content }], store, 'demo', (count) => stored.push(count)));
    expect(stored.map((count) => `put ${count}`)).toEqual(store.calls);
  });

  test('sends no more than 32 passages at once', async () => {
    const store = new MemoryStore();
    await run(store, { path: 'a.md', content: long(Array.from({ length: 60 }, (_, index) => `слово ${index}`)) });
    expect(store.calls.length).toBeGreaterThan(1);
    for (const call of store.calls) expect(Number(call.replace('put ', ''))).toBeLessThanOrEqual(32);
  });

  test('works on no more than four documents at once', async () => {
    const store = new MemoryStore();
    let running = 0;
    let most = 0;
    store.beforePut = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    };
    await run(
      store,
      ...Array.from({ length: 20 }, (_, index) => ({ path: `${index}.md`, content: `Текст ${index}.` })),
    );
    expect(most).toBe(4);
    expect(store.passages.size).toBe(20);
  });

  test('goes on after a document that cannot be ingested', async () => {
    const store = new MemoryStore();
    const reports = await run(
      store,
      { path: 'a.pdf', content: '%PDF' },
      { path: 'b.md', content: ' \u200b\n' },
      { path: 'c.md', content: 'Текст.' },
      { path: './c.md', content: 'Тот же путь.' },
    );
    expect(reports).toEqual([
      { path: './c.md', chunks: 0, status: 'failed', error: 'c.md was given twice' },
      {
        path: 'a.pdf',
        chunks: 0,
        status: 'failed',
        error: expect.stringContaining('supported are .md, .markdown, .txt'),
      },
      { path: 'b.md', chunks: 0, status: 'failed', error: 'the document holds no text', removed: 0 },
      { path: 'c.md', chunks: 1, status: 'new' },
    ]);
  });

  test('keeps ё for readers and leaves out what is invisible', async () => {
    const store = new MemoryStore();
    await run(store, { path: 'a.md', content: 'Ещё\u200b один\u202e текст.' });
    expect([...store.passages.values()][0]?.text).toBe('Ещё один текст.');
  });
});

/** What waits for it goes on when it is opened. */
class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

describe('two ingestions of one document at once', () => {
  const ours = { path: 'a.md', content: long(Array.from({ length: 60 }, (_, index) => `слово ${index}`)) };
  const theirs = { path: 'a.md', content: long(['другое', 'ещё']) };
  const versionOf = (document: SourceDocument) => passagesOf(document, { course: 'demo', source: 'a.md' });
  const sorted = (passages: Iterable<StoredPassage>) => [...passages].sort((a, b) => (a.id < b.id ? -1 : 1));

  test.each([
    ['is there already', 'updated', [{ path: 'a.md', content: 'Прежний текст.' }]],
    ['is new to both', 'new', []],
  ])('that %s: the one that ends last leaves its version, all of it and nothing else', async (_, status, before) => {
    const store = new MemoryStore();
    await run(store, ...before);
    const [first] = versionOf(ours);
    const halfWay = new Gate();
    const gate = new Gate();
    store.beforePut = ([one]) => {
      if (one?.documentHash !== first?.documentHash || !store.passages.has(first?.id ?? '')) return;
      halfWay.open();
      return gate.opened;
    };
    const slow = run(store, ours);
    await halfWay.opened;
    await run(store, theirs);
    expect(sorted(store.passages.values())).toEqual(sorted(versionOf(theirs)));
    gate.open();
    expect(await slow).toMatchObject([{ status }]);
    expect(sorted(store.passages.values())).toEqual(sorted(versionOf(ours)));
  });

  test('that go on in step leave one version', async () => {
    const store = new MemoryStore();
    const gate = new Gate();
    let waiting = 0;
    // Neither puts anything before both have seen that there is nothing.
    store.beforePut = () => {
      waiting += 1;
      if (waiting === 2) gate.open();
      return gate.opened;
    };
    const short = { path: 'a.md', content: 'Один абзац.' };
    const reports = await Promise.all([run(store, theirs), run(store, short)]);
    expect(reports.flat().map(({ status }) => status)).toEqual(['new', 'new']);
    expect([versionOf(theirs), versionOf(short)].map(sorted)).toContainEqual(sorted(store.passages.values()));
  });

  test('fail where they go on disturbing each other', async () => {
    const store = new MemoryStore();
    store.beforePut = () => store.passages.clear();
    expect(await run(store, ours)).toMatchObject([
      { status: 'failed', error: expect.stringContaining('another ingestion or removal changes this document') },
    ]);
    expect(store.calls.length).toBeLessThan(20);
  });
});
