import { describe, expect, test } from 'vitest';
import { CitationFilter, withoutCitations } from '../../src/rag/citations.js';

/** The answer of a model that was given three passages, and the numbers that it used. */
function filtered(answer: string, pieces: readonly string[] = [answer]): { text: string; used: readonly number[] } {
  const filter = new CitationFilter(3);
  const text = pieces.map((piece) => filter.push(piece)).join('') + filter.end();
  return { text, used: filter.used };
}

/** 44 characters of a list of passages that there are. */
const UP_TO_THREE = '1, 2, 3, '.repeat(5);

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
  ['a number that is too long for one', 'Да [12345678901234567890123].', 'Да.', []],
  ['a list that is long', `Да [${UP_TO_THREE}7].`, 'Да [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3].', [1, 2, 3]],
  ['a list that is too long for one', `Да [${UP_TO_THREE.repeat(5)}7].`, `Да [${UP_TO_THREE.repeat(5)}7].`, []],
  ['an interval from 0', 'на отрезке [0, 1] и [0; 2]', 'на отрезке [0, 1] и [0; 2]', []],
  ['an interval that goes far', 'x ∈ [1, 100], да [2].', 'x ∈ [1, 100], да [2].', [2]],
  ['a range from 0', 'цифра [0-9]+ и [2]', 'цифра [0-9]+ и [2]', [2]],
  ['years', 'период [2015–2020] и [1939, 1945]', 'период [2015–2020] и [1939, 1945]', []],
  ['data', 'Список [10, 20, 30] и [1, 2, 100]', 'Список [10, 20, 30] и [1, 2, 100]', []],
  ['a root', '\\sqrt[5]{32} и \\sqrt[3]{8} и \\sqrt[3] 8', '\\sqrt[5]{32} и \\sqrt[3]{8} и \\sqrt[3] 8', []],
  ['an index', 'a[0] = 5, x_1[10] = f(x)[7]', 'a[0] = 5, x_1[10] = f(x)[7]', []],
  ['an index of an index', 'm[0][1] = b[1, 8]', 'm[0][1] = b[1, 8]', []],
  ['an existing number after a Latin word', 'TCP[1] и слово[2]', 'TCP[1] и слово[2]', [1, 2]],
  ['one after a year', 'в 1961[9] и 1961[2]', 'в 1961 и 1961[2]', [2]],
  ['one made up beside another', 'Да [1][7] и [7][1] и [x][9].', 'Да [1] и[1] и [x][9].', [1]],
  ['a link', 'см. [5](https://a.example) и [1](b)', 'см. [5](https://a.example) и [1](b)', []],
  ['one before words in parentheses', 'Да [2] (так).', 'Да [2] (так).', [2]],
  ['a block of code between tildes', '~~~py\na[7] = [9]\n```\n~~~\nДа [8].', '~~~py\na[7] = [9]\n```\n~~~\nДа.', []],
  ['a block that a longer run ends', '```\n[9]\n````\nДа [8].', '```\n[9]\n````\nДа.', []],
  ['tildes in a line', 'Да ~~нет~~ ~~~ [8].', 'Да ~~нет~~ ~~~.', []],
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

test('of fourteen passages one in a list of fifteen was made up', () => {
  const filter = new CitationFilter(14);
  const list = Array.from({ length: 14 }, (_, index) => index + 1).join(', ');
  expect([...`Да [${list}, 99].`].map((piece) => filter.push(piece)).join('') + filter.end()).toBe(`Да [${list}].`);
  expect(filter.used).toHaveLength(14);
});

test('an old answer keeps what cites nothing', () => {
  const text = 'на [0, 1] и [1, 100] \\sqrt[5]{32} a[0] = 5 [5](https://a.example)';
  expect(withoutCitations(`${text} да [4], слово[5], TCP[6], так [7–9].`)).toBe(`${text} да, слово, TCP, так.`);
  expect(withoutCitations('a[5] = TCP[3]', 3)).toBe('a[5] = TCP');
});

test('256 KiB of whatever takes no longer than a few passes over it', () => {
  const started = performance.now();
  for (const piece of ['`', '~', '[', '[1', '[1, ', '[9]', ' ', 'a[', '\\\\a', '[1]`']) {
    withoutCitations(`${piece.repeat(2 ** 18 / piece.length)}.`);
  }
  expect(performance.now() - started).toBeLessThan(20_000);
}, 60_000);

test('an old answer loses all its citations', () => {
  expect(withoutCitations('Да [1], нет [2, 3].')).toBe('Да, нет.');
});
