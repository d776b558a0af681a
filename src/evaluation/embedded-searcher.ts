import { setImmediate as turn } from 'node:timers/promises';
import { bestSupportOf } from '../rag/gate.js';
import { searchText } from '../rag/normalise.js';
import { searchedText } from '../rag/origin.js';
import type { Passage } from '../rag/ports.js';
import { Bm25Index } from '../rag/retrieval/bm25-index.js';
import { DEPTH, type Found, type Searched, type Searcher, type SearchInput, type SearchProgress } from './judged.js';

const GROUP = 'judged';

/** Between two looks at whether the command was interrupted, in passages or questions. */
const TURN = 100;

/**
 * Searches in the memory of this process, as `ragdock up` does. A passage takes about 2 KB; the texts are kept only where
 * support is asked for.
 *
 * @param limit passages that a prompt would get; support is taken among them. @default - support is not asked for
 */
export class EmbeddedSearcher implements Searcher {
  readonly #limit: number;
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal, limit = 0) {
    this.#signal = signal;
    this.#limit = limit;
  }

  async search({ passages, questions }: SearchInput, tell: (progress: SearchProgress) => void): Promise<Searched> {
    const index = new Bm25Index();
    const texts = new Map<string, { readonly title: string; readonly text: string }>();
    for await (const { id, title, text } of passages) {
      index.put({ id, group: GROUP, text: searchedText({ title, heading: '', text }) });
      if (this.#limit > 0) texts.set(id, { title, text });
      if (index.size % TURN === 0) await this.#turn(tell, index.size, 0);
    }
    const found = new Map<string, Found>();
    for await (const { id, text } of questions) {
      const hits = index.search(searchText(text), GROUP, DEPTH);
      const first = hits.slice(0, this.#limit).map((hit) => passageOf(hit, texts.get(hit.id)));
      found.set(id, { ranking: hits.map((hit) => hit.id), support: bestSupportOf(text, first) });
      if (found.size % TURN === 0) await this.#turn(tell, index.size, found.size);
    }
    return { by: 'words', found };
  }

  async #turn(tell: (progress: SearchProgress) => void, passages: number, questions: number): Promise<void> {
    tell({ passages, questions });
    await turn();
    this.#signal.throwIfAborted();
  }
}

function passageOf(
  { id, score }: { readonly id: string; readonly score: number },
  { title, text } = { title: '', text: '' },
): Passage {
  return { collection: GROUP, id, text, source: id, title, heading: '', contentHash: id, score };
}
