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

/**
 * What a word of `wordsOf` is searched by: its stem after Snowball, Russian for words with a Cyrillic letter and English
 * for all others, so that one index serves texts in both languages. Undefined for a stop word.
 */
export function termOf(word: string): string | undefined {
  if (STOP_WORDS.has(word)) return undefined;
  return (isRussian(word) ? RUSSIAN : ENGLISH).stem(word);
}

/** The terms of a text in their order, stop words left out. */
export function termsOf(text: string): string[] {
  return wordsOf(text).flatMap((word) => termOf(word) ?? []);
}
