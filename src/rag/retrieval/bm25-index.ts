import MiniSearch from 'minisearch';
import { termOf, wordsOf } from './terms.js';

/** Qdrant's parameters (k1 1.2, b 0.75); with delta 0 it is plain BM25, not the BM25+ that MiniSearch defaults to. */
const BM25 = { k: 1.2, b: 0.75, d: 0 } as const;

/** A text and the group that searches may be narrowed to. */
export interface IndexedText {
  readonly id: string;
  readonly group: string;
  readonly text: string;
}

export interface Hit {
  readonly id: string;
  /** BM25 with the document frequencies of the whole index, whatever the group, as Qdrant has it. */
  readonly score: number;
}

/** Russian and English texts in memory, searched by BM25 over stems. */
export class Bm25Index {
  readonly #texts = new MiniSearch<IndexedText>({
    fields: ['text'],
    storeFields: ['group'],
    tokenize: wordsOf,
    processTerm: (word) => termOf(word) ?? null,
  });

  get size(): number {
    return this.#texts.documentCount;
  }

  /** Adds a text, or replaces the one with this id. */
  put(text: IndexedText): void {
    if (this.#texts.has(text.id)) this.#texts.replace(text);
    else this.#texts.add(text);
  }

  /** Forgets a text; one that is not there is no fault. */
  remove(id: string): void {
    if (this.#texts.has(id)) this.#texts.discard(id);
  }

  /** The best texts of a group, best first, equal ones by their id. None for a query of stop words alone. */
  search(query: string, group: string, limit: number): readonly Hit[] {
    return this.#texts
      .search(query, { bm25: BM25, filter: (result) => result.group === group })
      .map(({ id, score, queryTerms }) => ({
        id: String(id),
        // MiniSearch multiplies by the number of words of the query that the text has; BM25 does not.
        score: score / Math.max(1, queryTerms.length),
      }))
      .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
      .slice(0, limit);
  }
}
