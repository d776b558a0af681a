/** How far above the last passage a number is no mistake of the model's any more, but of something else. */
const FAR = 5;

/** Part of a list that passages have to be for a number far above them to be a mistake. */
const MOSTLY = 0.75;

/** A command of TeX: `\sqrt[3]`; also a bracket that is escaped. */
const COMMAND = /\\[A-Za-z]*$/;

/** What has elements: a name as programs have them, a call, an element. A word of the text is one only in Latin letters. */
const INDEXED = /(?:[A-Za-z_]\w*|[)\]])$/;

/** Where numbers in brackets stand. */
export interface Place {
  /** The end of what is before the bracket, a space before it included. */
  readonly before: string;
  /** The character after the bracket that closes; empty at the end of the text. */
  readonly after: string;
  /** What other numbers in brackets are that stand directly before. @default - there are none */
  readonly last: 'citation' | 'text' | undefined;
}

/** Passages that are cited, ascending as they were written, or that nothing is. */
export type Meaning = { readonly known: readonly number[]; readonly isWhole: boolean } | 'text';

/**
 * What numbers in brackets mean. They are text, and nobody's citation,
 * - before `(` and `{`: the words of a link, the option of a command of TeX;
 * - after a command of TeX, and after another index;
 * - after a name, `)` or `]`, unless passages have all the numbers: models write `word[1]`, and programmers `a[0]`;
 * - in a list or range with 0, or with a number far above the passages: an interval, or data. A long list of passages
 *   with one such number is a citation with a mistake.
 *
 * @param list what stands between the brackets
 * @param passages how many there are; their numbers begin with 1
 */
export function meaningOf(list: string, passages: number, { before, after, last }: Place): Meaning {
  if (/[({]/.test(after) || COMMAND.test(before) || last === 'text') return 'text';
  const numbers = numbersOf(list, passages);
  const known = numbers.filter((number) => number >= 1 && number <= passages);
  const isWhole = known.length === numbers.length;
  if (!isWhole && last === undefined && INDEXED.test(before)) return 'text';
  if (!isWhole && /\d\D+\d/.test(list) && isData(numbers, known, passages)) return 'text';
  return { known, isWhole };
}

function isData(numbers: readonly number[], known: readonly number[], passages: number): boolean {
  if (numbers.includes(0)) return true;
  return numbers.some((number) => number > passages + FAR) && known.length <= MOSTLY * numbers.length;
}

/** Beyond any passage, and still a number to which one can be added. */
const BEYOND = 1_000_000;

/** `1-3; 5` are 1, 2, 3 and 5. A range ends one above the passages there are, so that no answer can make it long. */
function numbersOf(text: string, passages: number): readonly number[] {
  const numbers: number[] = [];
  for (const part of text.split(/[,; ]+/)) {
    const [first = Number.NaN, last = first] = part
      .split(/[\u2013-]/)
      .filter(Boolean)
      .map((digits) => Math.min(Number(digits), BEYOND));
    for (let number = first; number <= Math.min(last, Math.max(first, passages + 1)); number += 1) numbers.push(number);
  }
  return numbers;
}
