import { termsOf } from './terms.js';

/** Qdrant's parameters. */
const K1 = 1.2;
const B = 0.75;

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

/** A text as it is searched. */
interface Entry {
  readonly group: string;
  /** How often it has each term. */
  readonly counts: ReadonlyMap<string, number>;
  /** Its terms, each as often as it stands there. */
  readonly length: number;
}

/**
 * Russian and English texts in memory, searched by BM25 over stems. What is searched is what is there now: a score does
 * not depend on the order in which texts came, nor on those that are gone.
 */
export class Bm25Index {
  readonly #entries = new Map<string, Entry>();
  /** Ids of the texts that have a term. */
  readonly #having = new Map<string, Set<string>>();
  #length = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** Adds a text, or replaces the one with this id. */
  put({ id, group, text }: IndexedText): void {
    this.remove(id);
    const terms = termsOf(text);
    const counts = countsOf(terms);
    this.#entries.set(id, { group, counts, length: terms.length });
    this.#length += terms.length;
    for (const term of counts.keys()) {
      const having = this.#having.get(term);
      if (having) having.add(id);
      else this.#having.set(term, new Set([id]));
    }
  }

  /** Forgets a text; one that is not there is no fault. */
  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    this.#length -= entry.length;
    for (const term of entry.counts.keys()) {
      const having = this.#having.get(term);
      having?.delete(id);
      if (having?.size === 0) this.#having.delete(term);
    }
  }

  /** The best texts of a group, best first, equal ones by their id. None for a query of stop words alone. */
  search(query: string, group: string, limit: number): readonly Hit[] {
    const scores = new Map<string, number>();
    // A word that the query has twice counts twice. Sorted, so that the sums are the same in whatever order words come.
    for (const [term, times] of [...countsOf(termsOf(query))].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const having = this.#having.get(term);
      if (!having) continue;
      const weight = times * Math.log(1 + (this.size - having.size + 0.5) / (having.size + 0.5));
      for (const id of having) {
        const entry = this.#entries.get(id);
        if (entry?.group !== group) continue;
        scores.set(id, (scores.get(id) ?? 0) + weight * this.#saturated(entry, term));
      }
    }
    return [...scores]
      .map(([id, score]) => ({ id, score }))
      .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
      .slice(0, limit);
  }

  /** What the occurrences of a term count: each one less than the one before, and less in a longer text. */
  #saturated({ counts, length }: Entry, term: string): number {
    const count = counts.get(term) ?? 0;
    const average = this.#length / this.size;
    return (count * (K1 + 1)) / (count + K1 * (1 - B + (B * length) / average));
  }
}

function countsOf(terms: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}
