import { expect, test } from 'vitest';
import { hashOf } from '../../src/rag/ingest/identity.js';
import { passagesOf } from '../../src/rag/ingest/ingest.js';
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
    contentHash: hashOf('Введение', 'Курс Python\n'),
    score: 0.5,
    similarity: 0.5,
  });
});

test('a text has the same hash as in a collection of ragdock, and comes once for both', () => {
  const [ours] = passagesOf({ path: 'a.txt', content: 'Курс Python' }, { course: 'demo', source: 'a.txt' });
  expect(pointOf({ page_content: 'Курс Python' }).contentHash).toBe(ours?.contentHash);
});

test('a source of which nothing is left is none', () => {
  expect(pointOf({ page_content: 'а', metadata: { source: '\u0000' } })).toMatchObject({
    source: 'theirs',
    title: 'theirs',
    heading: '',
  });
});
