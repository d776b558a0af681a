import { describe, expect, test } from 'vitest';
import { Bm25Index } from '../../src/rag/retrieval/bm25-index.js';
import { termsOf } from '../../src/rag/retrieval/terms.js';

const GROUP = 'demo';

/** An index of texts of one group, named by the keys. */
function indexOf(texts: Readonly<Record<string, string>>): Bm25Index {
  const index = new Bm25Index();
  for (const [id, text] of Object.entries(texts)) index.put({ id, group: GROUP, text });
  return index;
}

const idsOf = (index: Bm25Index, query: string, group = GROUP, limit = 10) =>
  index.search(query, group, limit).map(({ id }) => id);

describe('a search', () => {
  test.each([
    ['a word in another form', 'курсов', ['ru']],
    ['ё written as е', 'елки', ['tree']],
    ['е written as ё', 'зелёной', ['tree']],
    ['capitals', 'BACKUPS', ['en']],
    ['a Latin word in a Russian text', 'postgresql', ['ru']],
    ['a question in both languages', 'Когда делать backup ёлки?', ['en', 'tree']],
    ['a number', '2024', ['en']],
  ])('finds %s', (_, query, ids) => {
    const index = indexOf({
      ru: 'На курсе настраивают PostgreSQL.',
      tree: 'Ёлка стоит зеленая.',
      en: 'A backup is taken each night since 2024.',
    });
    expect(idsOf(index, query).sort()).toEqual(ids);
  });

  test.each([
    ['of stop words alone', 'что и как, если они есть'],
    ['of English stop words alone', 'what is the of'],
    ['of no words', ' ?! — '],
    ['of nothing', ''],
    ['of a word that nothing has', 'трансформатор'],
  ])('%s finds nothing', (_, query) => {
    expect(idsOf(indexOf({ a: 'Что и как, если они есть: the курс of what is.' }), query)).toEqual([]);
  });

  test('of an empty index finds nothing', () => {
    expect(idsOf(new Bm25Index(), 'курс')).toEqual([]);
  });

  test('finds the texts of its group alone', () => {
    const index = new Bm25Index();
    index.put({ id: 'a', group: 'one', text: 'курс' });
    index.put({ id: 'b', group: 'two', text: 'курс' });
    index.put({ id: 'c', group: '', text: 'курс' });
    expect(idsOf(index, 'курс', 'one')).toEqual(['a']);
    expect(idsOf(index, 'курс', 'two')).toEqual(['b']);
    expect(idsOf(index, 'курс', '')).toEqual(['c']);
    expect(idsOf(index, 'курс', 'three')).toEqual([]);
  });

  test('gives the best ones first, and no more than were asked for', () => {
    const index = indexOf({ once: 'курс лекция семинар', twice: 'курс курс семинар', other: 'семинар экзамен зачет' });
    expect(idsOf(index, 'курс')).toEqual(['twice', 'once']);
    expect(idsOf(index, 'курс', GROUP, 1)).toEqual(['twice']);
    expect(idsOf(index, 'курс', GROUP, 0)).toEqual([]);
  });

  test('puts equal ones in the order of their ids, however they came', () => {
    const index = indexOf({ c: 'курс', a: 'курс', d: 'курс', b: 'курс' });
    expect(idsOf(index, 'курс')).toEqual(['a', 'b', 'c', 'd']);
    expect(idsOf(index, 'курс', GROUP, 2)).toEqual(['a', 'b']);
  });
});

describe('a score', () => {
  const texts = {
    a: 'Вектор хранит база. The vector base keeps vectors.',
    b: 'База данных хранит строки и таблицы, и строки, и еще строки',
    c: 'Индексы ускоряют поиск',
  };

  /** BM25 as Robertson gives it, with the idf of Lucene. */
  function bm25(query: string, id: keyof typeof texts): number {
    const documents = Object.values(texts).map(termsOf);
    const average = documents.flat().length / documents.length;
    const document = termsOf(texts[id]);
    return termsOf(query).reduce((sum, term) => {
      const having = documents.filter((one) => one.includes(term)).length;
      const idf = Math.log(1 + (documents.length - having + 0.5) / (having + 0.5));
      const count = document.filter((one) => one === term).length;
      return sum + (idf * count * (1.2 + 1)) / (count + 1.2 * (1 - 0.75 + (0.75 * document.length) / average));
    }, 0);
  }

  test.each([
    ['one word', 'строка'],
    ['a word that two texts have', 'хранить'],
    ['several words', 'база хранит vectors'],
    ['a word twice', 'строка строка база'],
    ['stop words beside others', 'и что the база'],
  ])('is plain BM25 for %s', (_, query) => {
    const hits = indexOf(texts).search(query, GROUP, 10);
    const expected = (['a', 'b', 'c'] as const)
      .map((id) => ({ id, score: bm25(query, id) }))
      .filter(({ score }) => score > 0);
    expect(hits.length).toBeGreaterThan(0);
    expect(new Map(hits.map(({ id, score }) => [id, score.toFixed(10)]))).toEqual(
      new Map(expected.map(({ id, score }) => [id, score.toFixed(10)])),
    );
  });

  test('counts the texts of all groups', () => {
    const index = indexOf({ a: 'курс база', b: 'курс' });
    const alone = index.search('база', GROUP, 1)[0]?.score ?? 0;
    index.put({ id: 'c', group: 'other', text: 'база' });
    expect(index.search('база', GROUP, 1)[0]?.score).toBeLessThan(alone);
  });

  test('does not depend on the order of the words of a query', () => {
    const index = indexOf(texts);
    expect(index.search('база хранит строки вектор', GROUP, 3)).toEqual(
      index.search('вектор строки хранит база', GROUP, 3),
    );
  });
});

describe('a change', () => {
  test('put replaces the text and the group of an id', () => {
    const index = indexOf({ a: 'курс', b: 'курс' });
    index.put({ id: 'a', group: 'other', text: 'лекция' });
    expect(index.size).toBe(2);
    expect(idsOf(index, 'курс')).toEqual(['b']);
    expect(idsOf(index, 'лекция')).toEqual([]);
    expect(idsOf(index, 'лекция', 'other')).toEqual(['a']);
  });

  test('remove forgets a text, and one that is not there is no fault', () => {
    const index = indexOf({ a: 'курс', b: 'курс' });
    index.remove('a');
    index.remove('a');
    index.remove('never');
    expect(index.size).toBe(1);
    expect(idsOf(index, 'курс')).toEqual(['b']);
  });

  test.each<[string, (index: Bm25Index) => void]>([
    ['a text that was removed', (index) => index.remove('b')],
    ['a text that was replaced', (index) => index.put({ id: 'b', group: GROUP, text: 'экзамен' })],
  ])('%s counts no more from the first search on, wherever it stood', (_, change) => {
    const others = { a: 'курс лекция', c: 'курс лекция', d: 'зачет' };
    const index = indexOf({ a: others.a, b: 'курс и курс, и снова курс и лекции', c: others.c, d: others.d });
    change(index);
    const fresh = indexOf(others);
    if (index.size === 4) fresh.put({ id: 'b', group: GROUP, text: 'экзамен' });
    expect(index.search('курс', GROUP, 10)).toEqual(fresh.search('курс', GROUP, 10));
    expect(idsOf(index, 'курс')).toEqual(['a', 'c']);
  });

  test('thousands that came, changed and went leave what a fresh index of the rest finds', () => {
    const textOf = (number: number) => `курс ${number % 7} лекция ${number % 11} ${'семинар '.repeat(number % 5)}`;
    const index = new Bm25Index();
    const kept: Record<string, string> = {};
    for (let number = 0; number < 3000; number += 1) {
      index.put({ id: `t${number}`, group: GROUP, text: textOf(number) });
      if (number % 2 === 1) index.put({ id: `t${number - 1}`, group: GROUP, text: textOf(number + 1) });
      if (number % 3 === 0) index.remove(`t${number - 2}`);
    }
    for (let number = 0; number < 3000; number += 1) if (number % 10 !== 0) index.remove(`t${number}`);
    for (let number = 0; number < 3000; number += 10) {
      const removed = (number + 2) % 3 === 0 && number + 2 < 3000;
      if (!removed) kept[`t${number}`] = textOf(number + 2);
    }
    expect(index.size).toBe(Object.keys(kept).length);
    for (const query of ['лекция 3', 'курс семинар', '5 8']) {
      expect(index.search(query, GROUP, 50)).toEqual(indexOf(kept).search(query, GROUP, 50));
    }
  });

  test('all that was removed leaves an index that works', () => {
    const index = indexOf({ a: 'курс' });
    index.remove('a');
    expect(idsOf(index, 'курс')).toEqual([]);
    index.put({ id: 'a', group: GROUP, text: 'курс' });
    expect(index.search('курс', GROUP, 1)).toEqual(indexOf({ a: 'курс' }).search('курс', GROUP, 1));
  });
});

describe('a hostile query', () => {
  const index = indexOf(
    Object.fromEntries(
      Array.from({ length: 500 }, (_, number) => [`t${number}`, `курс ${number} ${'лекция '.repeat(50)}`]),
    ),
  );

  test.each([
    ['of 10,000 words', Array.from({ length: 10_000 }, (_, number) => `слово${number}`).join(' '), 0],
    [
      'of a thousand numbers, half of which are there',
      Array.from({ length: 1000 }, (_, number) => number).join(' '),
      10,
    ],
    ['of one word 10,000 times', 'курс '.repeat(10_000), 10],
    ['of one word of 100,000 letters', 'щ'.repeat(100_000), 0],
    ['that looks like a pattern', '(a+)+$ .* [курс] \\p{L} ^(.*)*$', 10],
    ['with halves of surrogate pairs', '\uD800курс\uDC00 \uDFFF', 10],
    ['of names that objects have', '__proto__ constructor toString', 0],
    ['with a wildcard', '*', 0],
  ])('%s does no harm', (_, query, count) => {
    const began = performance.now();
    expect(idsOf(index, query)).toHaveLength(count);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
