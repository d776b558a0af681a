import { describe, expect, test } from 'vitest';
import { CitationFilter, withoutCitations } from '../../src/rag/citations.js';

/** The answer of a model that was given three passages, and the numbers that it used. */
function filtered(answer: string, pieces: readonly string[] = [answer]): { text: string; used: readonly number[] } {
  const filter = new CitationFilter(3);
  const text = pieces.map((piece) => filter.push(piece)).join('') + filter.end();
  return { text, used: filter.used };
}

const ANSWERS = [
  ['an existing number', 'Да [2].', 'Да [2].', [2]],
  ['a number that no passage has', 'Да [7].', 'Да.', []],
  ['number 0', 'Да [0].', 'Да.', []],
  ['several, one of which exists', 'Да [1, 7].', 'Да [1].', [1]],
  ['a range', 'Да [1-3].', 'Да [1-3].', [1, 2, 3]],
  ['a range that goes too far', 'Да [2–9].', 'Да [2, 3].', [2, 3]],
  ['a range that would never end', 'Да [1-999999999999].', 'Да [1, 2, 3].', [1, 2, 3]],
  ['two side by side', 'Да [1][3].', 'Да [1][3].', [1, 3]],
  ['one after a word without a space', 'Город[9] и[2] река', 'Город и[2] река', [2]],
  ['a year in brackets', 'Издан [2020].', 'Издан.', []],
  ['brackets around words', 'Да [см. выше] и [ ] и [x].', 'Да [см. выше] и [ ] и [x].', []],
  ['a bracket that never closes', 'Да [1', 'Да [1', []],
  ['an index in inline code', 'Пиши `a[7]` и [1].', 'Пиши `a[7]` и [1].', [1]],
  ['an index in a block of code', '```py\na[7] = b[9]\n```\nДа [8].', '```py\na[7] = b[9]\n```\nДа.', []],
  ['a backtick that nothing closes', 'Знак ` лишний\nДа [7].', 'Знак ` лишний\nДа.', []],
  ['spaces at the end', 'Да.  ', 'Да.  ', []],
] as const;

describe('an answer with', () => {
  test.each(ANSWERS)('%s', (_, answer, text, used) => {
    expect(filtered(answer)).toEqual({ text, used });
  });

  test.each(ANSWERS)('%s, cut at any place', (_, answer, text, used) => {
    for (let at = 0; at <= answer.length; at += 1) {
      expect(filtered(answer, [answer.slice(0, at), answer.slice(at)]), `cut at ${at}`).toEqual({ text, used });
    }
    expect(filtered(answer, [...answer])).toEqual({ text, used });
  });
});

test('an old answer loses all its citations', () => {
  expect(withoutCitations('Да [1], нет [2, 3].')).toBe('Да, нет.');
});
