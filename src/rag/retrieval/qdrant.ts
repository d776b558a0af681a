import type { Schemas } from '@qdrant/js-client-rest';
import { abortReason } from '../failure.js';
import type { CollectionResult, Credential, Passage, Retrieval } from '../ports.js';
import { collectionPath } from './qdrant-collection.js';
import { QdrantHttp } from './qdrant-http.js';
import { BM25, bm25Document, type Language, type PointPayload } from './qdrant-layout.js';

/** Longest search of one collection, in milliseconds. */
const SEARCH_TIMEOUT_MS = 2000;

export interface QdrantCollection {
  readonly name: string;
  readonly language: Language;
  /** Passages for one question. */
  readonly limit: number;
}

/** Searches Qdrant's collections by BM25, which the server computes from the text: no embedding server is needed. */
export class QdrantRetrieval implements Retrieval {
  readonly #collections: readonly QdrantCollection[];
  readonly #http: QdrantHttp;

  constructor(url: string, credential: Credential, collections: readonly QdrantCollection[]) {
    this.#http = new QdrantHttp(url, credential);
    this.#collections = collections;
  }

  // A batch of Qdrant searches one collection only, so there is one request for each, side by side.
  async search(query: string, course: string, signal: AbortSignal): Promise<readonly CollectionResult[]> {
    const results = await Promise.all(
      this.#collections.map((collection) =>
        this.#searchOne(collection, query, course, signal).catch((error: Error) => ({
          collection: collection.name,
          failure: error,
        })),
      ),
    );
    if (signal.aborted) throw abortReason(signal);
    return results;
  }

  async check(signal: AbortSignal): Promise<void> {
    const { collections } = await this.#http.call<Schemas['CollectionsResponse']>({
      method: 'GET',
      path: '/collections',
      timeoutMs: SEARCH_TIMEOUT_MS,
      signal,
      idempotent: true,
    });
    const present = new Set(collections.map(({ name }) => name));
    const missing = this.#collections.filter(({ name }) => !present.has(name));
    if (missing.length > 0) {
      throw new Error(`Qdrant has no collection ${missing.map(({ name }) => name).join(', ')}`);
    }
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  async #searchOne(
    { name, language, limit }: QdrantCollection,
    query: string,
    course: string,
    signal: AbortSignal,
  ): Promise<CollectionResult> {
    // With a dense vector: `prefetch` with both, the filter in each, and the fusion as the query at the root.
    const body: Schemas['QueryRequest'] = {
      query: bm25Document(query, language),
      using: BM25,
      filter: { must: [{ key: 'course', match: { value: course } }] },
      limit,
      with_payload: true,
    };
    const { points } = await this.#http.call<Schemas['QueryResponse']>({
      method: 'POST',
      path: `${collectionPath(name)}/points/query`,
      body,
      timeoutMs: SEARCH_TIMEOUT_MS,
      signal,
      idempotent: true,
    });
    return { collection: name, passages: points.map((point) => passageOf(name, point)) };
  }
}

function passageOf(collection: string, { id, score, payload }: Schemas['ScoredPoint']): Passage {
  const { text, source, title, heading, content_hash } = (payload ?? {}) as Partial<PointPayload>;
  if (typeof text !== 'string' || typeof source !== 'string') {
    throw new Error(`point ${id} of ${collection} has no text or no source; ragdock ingest did not write it`);
  }
  return {
    collection,
    id: String(id),
    text,
    source,
    title: title ?? source,
    heading: heading ?? '',
    contentHash: content_hash ?? String(id),
    score,
  };
}
