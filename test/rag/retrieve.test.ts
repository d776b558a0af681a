import { describe, expect, test } from 'vitest';
import { retrieve } from '../../src/rag/retrieve.js';
import { MemoryRetrieval, passage } from '../support/rag-parts.js';

const { signal } = new AbortController();

describe('retrieve', () => {
  test('searches for the question without what is invisible, and with its ё: vectors of passages have it too', async () => {
    const retrieval = new MemoryRetrieval();
    await retrieve(retrieval, '  Ещё\u200b раз: что это? ', 'demo', signal);
    expect(retrieval.queries).toEqual([{ query: 'Ещё раз: что это?', course: 'demo' }]);
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

  test('takes of each collection what its limit allows, and no copy takes a place', async () => {
    const retrieval = new MemoryRetrieval();
    const copies = ['c', 'a', 'b'].map((id) => passage({ id, score: 2, text: 'copied' }));
    const others = ['f', 'e', 'd'].map((id) => passage({ id, score: 1, text: id }));
    retrieval.results = [
      { collection: 'first', limit: 2, passages: [...copies, ...others] },
      { collection: 'second', limit: 2, passages: [...copies, ...others] },
    ];
    const { passages } = await retrieve(retrieval, 'вопрос', 'demo', signal);
    expect(passages.map(({ id }) => id)).toEqual(['a', 'd', 'e', 'f']);
  });

  test('takes the same of equal scores in whatever order the server gives them', async () => {
    const retrieval = new MemoryRetrieval();
    const passages = ['a', 'b', 'c', 'd'].map((id) => passage({ id, score: 1, text: id }));
    for (const given of [passages, passages.toReversed()]) {
      retrieval.results = [{ collection: 'first', limit: 3, passages: given }];
      const retrieved = await retrieve(retrieval, 'вопрос', 'demo', signal);
      expect(retrieved.passages.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    }
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
