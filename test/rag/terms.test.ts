import { describe, expect, test } from 'vitest';
import { termOf, termsOf, wordsOf } from '../../src/rag/retrieval/terms.js';

describe('the words of a text', () => {
  test('are in lower case, in their order, without what stands between them', () => {
    expect(wordsOf('Курс «Базы данных»: SQL-запросы, 2-е изд.')).toEqual([
      'курс',
      'базы',
      'данных',
      'sql',
      'запросы',
      '2',
      'е',
      'изд',
    ]);
  });

  test.each([
    ['ё is е', 'Ёлка и ёж', ['елка', 'и', 'еж']],
    ['a letter in two code points is the same letter', 'и\u0306од е\u0308ж', ['йод', 'еж']],
    ['an invisible character does not split a word', 'век\u00ADтор сло\u200Bво', ['вектор', 'слово']],
    ['digits are words, and parts of them', 'COVID19 в 2020 году', ['covid19', 'в', '2020', 'году']],
    ['half of a surrogate pair is none', 'a\uD800b', ['a', 'b']],
    ['a text without letters and digits has none', ' — … !? 😀 ', []],
  ])('%s', (_, text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });
});

describe('the term of a word', () => {
  test.each([
    ['курс', ['курс', 'курсы', 'курса', 'курсов', 'КУРС', 'курсами']],
    ['лекция', ['лекция', 'лекции', 'лекцию', 'лекций', 'Лекциями']],
    ['ёлка', ['ёлка', 'елка', 'ёлки', 'елки', 'ЁЛКИ']],
    ['час', ['час', 'часы', 'часов', 'часами', 'Часах']],
    ['index', ['index', 'Indexes', 'INDEXED', 'indexing']],
    ['connect', ['connect', 'connects', 'connected', 'connecting']],
  ])('%s is one in all its forms', (_, forms) => {
    expect(new Set(forms.flatMap(termsOf)).size).toBe(1);
    expect(forms.flatMap(termsOf)).toHaveLength(forms.length);
  });

  test.each([
    ['курс', 'курица'],
    ['лекция', 'лектор'],
    ['сеть', 'сетка'],
    ['university', 'unit'],
    ['2020', '2021'],
    ['v2', 'v3'],
  ])('of %s and that of %s differ', (one, other) => {
    expect(termOf(one)).not.toBe(termOf(other));
  });

  test.each(['что', 'этого', 'её', 'Ещё', 'и', 'the', 'is', 'WHAT', 'of'])('%s has none', (word) => {
    expect(termsOf(word)).toEqual([]);
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'])(
    '%s is a word like others',
    (word) => {
      expect(termsOf(word)).toEqual([expect.stringMatching(/^[a-z]{4,}$/)]);
    },
  );
});

test.each(["sun's", 'sun’s', 'suns'])('%s is the sun', (word) => {
  expect(termsOf(word)).toEqual(['sun']);
});

test('a text in both languages has the terms of both', () => {
  expect(termsOf('Что такое vector databases, и когда нужны индексы HNSW?')).toEqual([
    'так',
    ...termsOf('vectors'),
    ...termsOf('database'),
    ...termsOf('нужный'),
    ...termsOf('индекс'),
    'hnsw',
  ]);
});

test('the terms of a text do not depend on its case', () => {
  const text = 'Солнечные часы показывают истинное солнечное время; the equation of time explains the difference.';
  expect(termsOf(text.toUpperCase())).toEqual(termsOf(text));
});
