import type { Schemas } from '@qdrant/js-client-rest';
import { abortReason } from '../failure.js';
import type { CollectionResult, Credential, Embedder, Passage, Retrieval, SearchResult } from '../ports.js';
import type { SearchedCollection } from './collection-settings.js';
import { withHeadroom } from './headroom.js';
import { langChainSearch, passageOfLangChain } from './langchain-layout.js';
import { collectionPath } from './qdrant-collection.js';
import { QdrantHttp } from './qdrant-http.js';
import { BM25, bm25Document, DENSE, type PointPayload } from './qdrant-layout.js';

/** Longest search of one collection, in milliseconds. */
const SEARCH_TIMEOUT_MS = 2000;

/** How many passages each of the two searches gives to their fusion, in the middle of what its measurements recommend. */
const CANDIDATES = 64;

/**
 * Searches Qdrant's collections: by BM25, which the server computes from the text, and where a collection has dense
 * vectors by those as well, the two fused by rank. Without the embedding server BM25 goes on alone.
 */
export class QdrantRetrieval implements Retrieval {
  readonly #collections: readonly SearchedCollection[];
  readonly #http: QdrantHttp;
  readonly #embedder: Embedder | undefined;

  /** @param embedder for the questions; it stays the caller's to close. @default - no vectors are compared */
  constructor(
    url: string,
    credential: Credential,
    collections: readonly SearchedCollection[],
    embedder?: Embedder | undefined,
  ) {
    this.#http = new QdrantHttp(url, credential);
    this.#collections = collections;
    this.#embedder = embedder;
  }

  // A batch of Qdrant searches one collection only, so there is one request for each, side by side.
  async search(query: string, course: string, signal: AbortSignal): Promise<SearchResult> {
    const began = performance.now();
    const embedded = await this.#embed(query, signal);
    const embedMs = embedded === undefined ? undefined : performance.now() - began;
    const collections = await Promise.all(
      this.#collections.map((collection) =>
        this.#searchOne(collection, query, embedded, course, signal).catch((error: Error) => ({
          collection: collection.name,
          failure: error,
        })),
      ),
    );
    if (signal.aborted) throw abortReason(signal);
    return { collections, embedMs, vectorFailure: embedded instanceof Error ? embedded : undefined };
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

  /** The question's vector, or why there is none; undefined when no collection has vectors. */
  async #embed(query: string, signal: AbortSignal): Promise<readonly number[] | Error | undefined> {
    if (this.#collections.every(({ embedding }) => embedding === undefined)) return undefined;
    if (!this.#embedder) return new Error('collections have vectors, and there is no embedding server');
    try {
      const [vector] = await this.#embedder.embed([query], signal);
      return vector ?? new Error('the embedding server gave no vector');
    } catch (error) {
      return error as Error;
    }
  }

  async #searchOne(
    collection: SearchedCollection,
    query: string,
    embedded: readonly number[] | Error | undefined,
    course: string,
    signal: AbortSignal,
  ): Promise<CollectionResult> {
    const { name, limit } = collection;
    if (collection.layout === 'langchain') {
      if (!Array.isArray(embedded)) throw new Error(`${name} is found by vectors alone`, { cause: embedded });
      const body = langChainSearch(collection, embedded, course);
      const { points } = await this.#ask<Schemas['QueryResponse']>(name, 'query', body, signal);
      return { collection: name, limit, passages: points.map((point) => passageOfLangChain(collection, point)) };
    }
    if (!collection.embedding || !Array.isArray(embedded)) {
      const body = wordSearch(collection, query, course);
      const { points } = await this.#ask<Schemas['QueryResponse']>(name, 'query', body, signal);
      return { collection: name, limit, passages: points.map((point) => passageOf(name, point)) };
    }
    const searches = hybridSearch(collection, query, embedded, course);
    const [closest, fused] = await this.#ask<Schemas['QueryResponse'][]>(name, 'query/batch', { searches }, signal);
    const similarities = new Map(closest?.points.map(({ id, score }) => [id, score]));
    const passages = (fused?.points ?? []).map((point) => ({
      ...passageOf(name, point),
      isFused: true,
      similarity: similarities.get(point.id),
    }));
    return { collection: name, limit, passages };
  }

  #ask<T>(collection: string, what: 'query' | 'query/batch', body: object, signal: AbortSignal): Promise<T> {
    return this.#http.call<T>({
      method: 'POST',
      path: `${collectionPath(collection)}/points/${what}`,
      body,
      timeoutMs: SEARCH_TIMEOUT_MS,
      signal,
      idempotent: true,
    });
  }
}

const ofCourse = (course: string): Schemas['Filter'] => ({ must: [{ key: 'course', match: { value: course } }] });

function wordSearch({ language, limit }: SearchedCollection, query: string, course: string): Schemas['QueryRequest'] {
  return {
    query: bm25Document(query, language),
    using: BM25,
    filter: ofCourse(course),
    limit: withHeadroom(limit),
    with_payload: true,
  };
}

/**
 * The closest by vectors, for their cosines, which a fusion does not give; and the fusion of both searches. The filter
 * is in each prefetch, since a filter on the fusion would leave fewer than were asked for.
 */
function hybridSearch(
  { language, limit }: SearchedCollection,
  query: string,
  vector: readonly number[],
  course: string,
): readonly Schemas['QueryRequest'][] {
  const filter = ofCourse(course);
  const byVector = { query: [...vector], using: DENSE, filter, limit: CANDIDATES };
  const byWords = { query: bm25Document(query, language), using: BM25, filter, limit: CANDIDATES };
  return [
    { ...byVector, with_payload: false },
    { prefetch: [byVector, byWords], query: { fusion: 'rrf' }, limit: withHeadroom(limit), with_payload: true },
  ];
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
