import { Postings } from './postings.js';
import { termsOf } from './terms.js';

/** Qdrant's parameters. */
const K1 = 1.2;
const B = 0.75;

/** Texts that are gone still take room in the postings; from so many on, and as many as half of those there, it is taken back. */
const LEAST_TO_SWEEP = 256;

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

/** A text as it is searched. Its number is where it stands in `#entries`. */
interface Entry {
  readonly id: string;
  readonly group: string;
  /** Its terms, each once. */
  readonly terms: readonly Postings[];
  /** Its terms, each as often as it stands there. */
  readonly length: number;
}

/**
 * Russian and English texts in memory, searched by BM25 over stems. What is searched is what is there now: a score does
 * not depend on the order in which texts came, nor on those that are gone. A text of 100 different terms takes about
 * 2 KB.
 */
export class Bm25Index {
  readonly #numbers = new Map<string, number>();
  #entries: (Entry | undefined)[] = [];
  #terms = new Map<string, Postings>();
  #length = 0;

  get size(): number {
    return this.#numbers.size;
  }

  /** Adds a text, or replaces the one with this id. */
  put({ id, group, text }: IndexedText): void {
    this.remove(id);
    const terms = termsOf(text);
    const number = this.#entries.length;
    const postings = [...countsOf(terms)].map(([term, count]) => {
      const found = this.#terms.get(term) ?? new Postings();
      if (found.isNew) this.#terms.set(term, found);
      found.add(number, count);
      return found;
    });
    this.#numbers.set(id, number);
    this.#entries.push({ id, group, terms: postings, length: terms.length });
    this.#length += terms.length;
  }

  /** Forgets a text; one that is not there is no fault. */
  remove(id: string): void {
    const number = this.#numbers.get(id);
    const entry = number === undefined ? undefined : this.#entries[number];
    if (number === undefined || !entry) return;
    this.#numbers.delete(id);
    this.#entries[number] = undefined;
    this.#length -= entry.length;
    for (const postings of entry.terms) postings.forgetOne();
    const gone = this.#entries.length - this.size;
    if (gone >= LEAST_TO_SWEEP && gone * 2 >= this.size) this.#sweep();
  }

  /** The best texts of a group, best first, equal ones by their id. None for a query of stop words alone. */
  search(query: string, group: string, limit: number): readonly Hit[] {
    const scores = new Float64Array(this.#entries.length);
    const average = this.#length / this.size;
    // A word that the query has twice counts twice. Sorted, so that the sums are the same in whatever order words come.
    for (const [term, times] of [...countsOf(termsOf(query))].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const having = this.#terms.get(term);
      if (!having || having.size === 0) continue;
      const weight = times * Math.log(1 + (this.size - having.size + 0.5) / (having.size + 0.5));
      having.forEach((number, count) => {
        const entry = this.#entries[number];
        if (entry?.group !== group) return;
        scores[number] = (scores[number] ?? 0) + weight * saturated(count, entry.length / average);
      });
    }
    return this.#best(scores, limit);
  }

  #best(scores: Float64Array, limit: number): readonly Hit[] {
    const best: Hit[] = [];
    for (let number = 0; number < scores.length; number += 1) {
      const score = scores[number] ?? 0;
      const worst = best[limit - 1];
      if (score === 0 || (worst && score < worst.score)) continue;
      const hit = { id: this.#entries[number]?.id ?? '', score };
      if (worst && isBefore(worst, hit)) continue;
      best.splice(placeOf(hit, best), 0, hit);
      if (best.length > limit) best.pop();
    }
    return best;
  }

  /** Numbers the texts anew, without those that are gone. */
  #sweep(): void {
    const numbers = new Map<number, number>();
    const kept: Entry[] = [];
    for (const [number, entry] of this.#entries.entries()) {
      if (!entry) continue;
      numbers.set(number, kept.length);
      this.#numbers.set(entry.id, kept.length);
      kept.push(entry);
    }
    this.#entries = kept;
    for (const [term, postings] of this.#terms) {
      if (postings.size === 0) this.#terms.delete(term);
      else postings.renumber(numbers);
    }
  }
}

/** What the occurrences of a term count: each one less than the one before, and less in a longer text. */
function saturated(count: number, relativeLength: number): number {
  return (count * (K1 + 1)) / (count + K1 * (1 - B + B * relativeLength));
}

const isBefore = (a: Hit, b: Hit): boolean => a.score > b.score || (a.score === b.score && a.id < b.id);

/** Where a hit belongs among those that are sorted already. */
function placeOf(hit: Hit, sorted: readonly Hit[]): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(sorted[middle] ?? hit, hit)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function countsOf(terms: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}
