import { newStemmer } from 'snowball-stemmers';
import { eng, rus } from 'stopword';
import { isRussian, searchText } from '../normalise.js';

/** Runs of letters and digits; everything else separates words, but for an apostrophe inside of one. */
const WORD = /[\p{L}\p{M}\p{N}]+(?:'\p{L}+)*/gu;

const STOP_WORDS: ReadonlySet<string> = new Set([...rus, ...eng].flatMap(wordsOf));

const RUSSIAN = newStemmer('russian');
const ENGLISH = newStemmer('english');

/** The words of a text in their order, in lower case, with ё as е. */
export function wordsOf(text: string): string[] {
  return searchText(text).toLowerCase().replaceAll('’', "'").match(WORD) ?? [];
}

/** Stems of words that came before; a stem costs as much as a hundred looks into it. */
const STEMS = new Map<string, string>();

/** Longer ones, in characters, hardly come twice. */
const LONGEST_REMEMBERED = 40;

/** Words whose stems are remembered, at most: about 20 MB. */
const MOST_STEMS = 100_000;

/**
 * What a word of `wordsOf` is searched by: its stem after Snowball, Russian for words with a Cyrillic letter and English
 * for all others, so that one index serves texts in both languages. Undefined for a stop word.
 */
export function termOf(word: string): string | undefined {
  if (STOP_WORDS.has(word)) return undefined;
  const known = STEMS.get(word);
  if (known !== undefined) return known;
  const stem = (isRussian(word) ? RUSSIAN : ENGLISH).stem(word);
  if (word.length > LONGEST_REMEMBERED) return stem;
  if (STEMS.size >= MOST_STEMS) STEMS.clear();
  STEMS.set(word, stem);
  return stem;
}

/** The terms of a text in their order, stop words left out. */
export function termsOf(text: string): string[] {
  return wordsOf(text).flatMap((word) => termOf(word) ?? []);
}
