import { describe, expect, test } from 'vitest';
import { retrieve } from '../../src/rag/retrieve.js';
import { MemoryRetrieval, passage } from '../support/rag-parts.js';

const { signal } = new AbortController();

describe('retrieve', () => {
  test('searches for the normalised question', async () => {
    const retrieval = new MemoryRetrieval();
    await retrieve(retrieval, '  Ещё раз:\n что это? ', 'demo', signal);
    expect(retrieval.queries).toEqual([{ query: 'Еще раз: что это?', course: 'demo' }]);
  });

  test('orders by collection, then score, then id', async () => {
    const retrieval = new MemoryRetrieval();
    retrieval.results = [
      {
        collection: 'first',
        passages: [
          passage({ id: 'c', score: 1, text: 'third' }),
          passage({ id: 'b', score: 2, text: 'second' }),
          passage({ id: 'a', score: 2, text: 'first' }),
        ],
      },
      { collection: 'second', passages: [passage({ id: 'd', score: 9, text: 'fourth' })] },
    ];
    const { passages } = await retrieve(retrieval, 'вопрос', 'demo', signal);
    expect(passages.map(({ text }) => text)).toEqual(['first', 'second', 'third', 'fourth']);
  });

  test('keeps one passage of each content, the first', async () => {
    const retrieval = new MemoryRetrieval();
    retrieval.results = [
      { collection: 'first', passages: [passage({ collection: 'first', id: 'a', contentHash: 'same' })] },
      { collection: 'second', passages: [passage({ collection: 'second', id: 'b', contentHash: 'same' })] },
    ];
    const { passages } = await retrieve(retrieval, 'вопрос', 'demo', signal);
    expect(passages.map(({ collection }) => collection)).toEqual(['first']);
  });

  test('goes on without a collection that failed, and says which', async () => {
    const retrieval = new MemoryRetrieval();
    const failure = new Error('down');
    retrieval.results = [
      { collection: 'first', failure },
      { collection: 'second', passages: [passage()] },
    ];
    const retrieved = await retrieve(retrieval, 'вопрос', 'demo', signal);
    expect(retrieved.passages).toHaveLength(1);
    expect(retrieved.failures).toEqual(new Map([['first', failure]]));
  });
});
