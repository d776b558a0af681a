import { describe, expect, test } from 'vitest';
import { cleanText, searchText, storableText } from '../../src/rag/normalise.js';

describe('searchText', () => {
  test('writes ё as е, because BM25 takes them for two letters', () => {
    expect(searchText('Ещё одна Ёлка')).toBe('Еще одна Елка');
  });

  test('composes characters, so that й in two code points is й in one', () => {
    expect(searchText('и\u0306')).toBe('й');
    expect(searchText('е\u0308')).toBe('е');
  });

  test('leaves one space between words', () => {
    expect(searchText('  векторный\t\n поиск\u00a0здесь ')).toBe('векторный поиск здесь');
  });
});

describe('cleanText', () => {
  test('removes what is invisible: zero-width, direction, tag and control characters', () => {
    expect(cleanText('а\u200bб\u202eв\u{E0041}г\u0000д\u0007е\ufeff')).toBe('абвгде');
  });

  test('keeps line breaks and tabs, and makes line ends one character', () => {
    expect(cleanText('а\r\nб\rв\tг')).toBe('а\nб\nв\tг');
  });

  test('replaces half a surrogate pair, and leaves whole ones alone', () => {
    expect(cleanText('\ud83d и 😀')).toBe('\ufffd и 😀');
  });
});

test('storableText removes only what PostgreSQL cannot hold', () => {
  expect(storableText('а\u0000б\ud83dв\u200b😀')).toBe('аб\ufffdв\u200b😀');
});
