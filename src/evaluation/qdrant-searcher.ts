import { bestSupportOf, closestOf } from '../rag/gate.js';
import { hashOf, passageId } from '../rag/ingest/identity.js';
import type { Credential, Embedder, Passage, Retrieval, StoredPassage } from '../rag/ports.js';
import { QdrantRetrieval } from '../rag/retrieval/qdrant.js';
import { averageLengthOf } from '../rag/retrieval/qdrant-collection.js';
import { QdrantError, QdrantHttp } from '../rag/retrieval/qdrant-http.js';
import type { CollectionTraits } from '../rag/retrieval/qdrant-layout.js';
import { QdrantPassageStore } from '../rag/retrieval/qdrant-store.js';
import { retrieve } from '../rag/retrieve.js';
import { retry } from '../rag/retry.js';
import {
  DEPTH,
  type Found,
  type JudgedPassage,
  type Searched,
  type Searcher,
  type SearchInput,
  type SearchProgress,
} from './judged.js';
import { inScratchCollection, sweepScratchCollections } from './scratch-collection.js';

/** Passages in one request, as in an ingestion. */
const BATCH = 32;

/** Batches, and questions, on their way at once. */
const CONCURRENCY = 4;

const COURSE = 'judged';

/** How long one question is asked again of a server that is down or busy, in milliseconds. */
const RETRY_DEADLINE_MS = 30_000;

export interface QdrantSearcherOptions extends Omit<CollectionTraits, 'averageLength'> {
  readonly url: string;
  readonly credential: Credential;
  /** Names the collection. */
  readonly run: string;
  /** A collection whose scale of scores this one has. @default - it has that of a new one */
  readonly like?: string | undefined;
  /** Whether the collection of another run is nobody's any more. */
  readonly isLeftover: (run: string) => boolean;
  /** Passages that a prompt would get; what a gate looks at is taken among them. @default - it is not asked for */
  readonly limit?: number | undefined;
  /** Opens the embedding server, for a collection with vectors. */
  readonly openEmbedder: () => Promise<Embedder | undefined>;
  readonly signal: AbortSignal;
}

/** Searches a collection of Qdrant that is made for the measuring, by the code of ingestion and of the RAG API. */
export class QdrantSearcher implements Searcher {
  readonly #options: QdrantSearcherOptions;

  constructor(options: QdrantSearcherOptions) {
    this.#options = options;
  }

  async search(input: SearchInput, tell: (progress: SearchProgress) => void): Promise<Searched> {
    const { url, credential, run, like, language, embedding, isLeftover } = this.#options;
    const http = new QdrantHttp(url, credential);
    try {
      await sweepScratchCollections(http, isLeftover);
      const averageLength = like === undefined ? undefined : await averageLengthOf(http, like);
      const found = await inScratchCollection(http, run, { language, embedding, averageLength }, async (collection) => {
        const count = await this.#fill(collection, input.passages, tell);
        return this.#ask(collection, input.questions, (questions) => tell({ passages: count, questions }));
      });
      return { by: embedding ? 'words and vectors' : 'words', found };
    } finally {
      await http.close();
    }
  }

  async #fill(
    collection: string,
    passages: SearchInput['passages'],
    tell: (progress: SearchProgress) => void,
  ): Promise<number> {
    const { url, credential, openEmbedder, signal } = this.#options;
    const store = await QdrantPassageStore.open(url, credential, collection, await openEmbedder());
    let count = 0;
    try {
      await sideBySide(batches(passages), async (batch) => {
        signal.throwIfAborted();
        await store.put(batch.map(storedFrom));
        count += batch.length;
        tell({ passages: count, questions: 0 });
      });
      return count;
    } finally {
      await store.close();
    }
  }

  async #ask(
    collection: string,
    questions: SearchInput['questions'],
    tell: (questions: number) => void,
  ): Promise<ReadonlyMap<string, Found>> {
    const { url, credential, language, embedding, limit = 0, openEmbedder } = this.#options;
    const words = { name: collection, language, limit: DEPTH };
    const embedder = await openEmbedder();
    const byWords = new QdrantRetrieval(url, credential, [words]);
    const asDeployed = new QdrantRetrieval(url, credential, [{ ...words, embedding }], embedder);
    const found = new Map<string, Found>();
    try {
      await sideBySide(questions, async ({ id, text }) => {
        const passages = await this.#passagesFor(asDeployed, text);
        const first = passages.slice(0, limit);
        // Without the embedding server words alone are looked at.
        const firstByWords = embedding && limit > 0 ? (await this.#passagesFor(byWords, text)).slice(0, limit) : first;
        found.set(id, {
          ranking: passages.map(({ source }) => source),
          similarity: closestOf(first),
          support: bestSupportOf(text, firstByWords),
        });
        tell(found.size);
      });
      return found;
    } finally {
      await Promise.all([byWords.close(), asDeployed.close(), embedder?.close()]);
    }
  }

  /** Rejects when not all of the search was done: what a part of it finds is no measure of the whole. */
  #passagesFor(retrieval: Retrieval, question: string): Promise<readonly Passage[]> {
    const { signal } = this.#options;
    const attempt = async () => {
      const { passages, failures, vectorFailure } = await retrieve(retrieval, question, COURSE, signal);
      const [failure] = failures.values();
      if (failure ?? vectorFailure) throw failure ?? vectorFailure;
      return passages;
    };
    const isTransient = (error: unknown) => !(error instanceof QdrantError) || error.transient;
    return retry(attempt, { deadlineMs: RETRY_DEADLINE_MS, signal, isTransient });
  }
}

/** A passage as ingestion stores it. Its source is its id, and no two have one content: each can be found. */
function storedFrom({ id, title, text }: JudgedPassage): StoredPassage {
  const contentHash = hashOf(id);
  return {
    id: passageId(COURSE, id, 0, contentHash),
    text,
    source: id,
    title,
    heading: '',
    course: COURSE,
    contentHash,
    documentHash: contentHash,
    chunk: 0,
  };
}

async function* batches(passages: AsyncIterable<JudgedPassage>): AsyncGenerator<readonly JudgedPassage[]> {
  let batch: JudgedPassage[] = [];
  for await (const passage of passages) {
    batch.push(passage);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Some items at a time, taken as the work goes on; ends with the first that fails, when the others have ended. */
async function sideBySide<T>(items: AsyncIterable<T> | Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let failed = false;
  const worker = async () => {
    while (!failed) {
      try {
        const next = await iterator.next();
        if (next.done) return;
        await work(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: CONCURRENCY }, worker));
  await iterator.return?.();
  const fault = ended.find((one) => one.status === 'rejected');
  if (fault) throw fault.reason;
}
