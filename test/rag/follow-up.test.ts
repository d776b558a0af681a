import { describe, expect, test } from 'vitest';
import { searchedQuestion } from '../../src/rag/follow-up.js';

const HISTORY = [
  { role: 'user', content: 'Как настроить PostgreSQL для большой нагрузки?' },
  { role: 'assistant', content: 'Увеличьте shared_buffers.' },
] as const;

describe('a question after another', () => {
  test.each(['А на сколько?', 'Почему он медленный каждое утро под нагрузкой?', 'Why does it fail?'])(
    'is searched with the one before it: %s',
    (message) => {
      expect(searchedQuestion(message, HISTORY)).toBe(`${HISTORY[0].content} ${message}`);
    },
  );

  test.each([
    'Как устроена векторная база Qdrant и какие индексы в ней бывают?',
    'Which metrics does the exporter of graphics cards publish every second?',
  ])('is searched alone when it says what it is about: %s', (message) => {
    expect(searchedQuestion(message, HISTORY)).toBe(message);
  });
});

test('a question before that is as long as a conversation is searched in part', () => {
  const before = { role: 'user' as const, content: 'слово '.repeat(100_000) };
  expect(searchedQuestion('Что это?', [before]).length).toBeLessThan(5000);
});

test('the first question is searched alone, however short', () => {
  expect(searchedQuestion('Что это?', [])).toBe('Что это?');
});
