import { expect, test } from 'vitest';
import { hashOf } from '../../src/rag/ingest/identity.js';
import { passageOfLangChain } from '../../src/rag/retrieval/langchain-layout.js';

const THEIRS = { name: 'theirs', language: 'russian', limit: 3, layout: 'langchain' } as const;
const pointOf = (payload: Record<string, unknown>) =>
  passageOfLangChain(THEIRS, { id: 7, version: 1, score: 0.5, payload });

test('texts of a point are clean, whoever wrote them', () => {
  const metadata = { source: 'doc\u0000.pdf', title: 'Лек\ud800ция', heading: 'Вве\u200bдение' };
  expect(pointOf({ page_content: 'Курс\u0000 Python\r\n', metadata })).toEqual({
    collection: 'theirs',
    id: '7',
    text: 'Курс Python\n',
    source: 'doc.pdf',
    title: 'Лек\ufffdция',
    heading: 'Введение',
    contentHash: hashOf('Курс Python\n'),
    score: 0.5,
    similarity: 0.5,
  });
});

test('a source of which nothing is left is none', () => {
  expect(pointOf({ page_content: 'а', metadata: { source: '\u0000' } })).toMatchObject({
    source: 'theirs',
    title: 'theirs',
    heading: '',
  });
});
