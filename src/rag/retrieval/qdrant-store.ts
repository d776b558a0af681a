import type { Schemas } from '@qdrant/js-client-rest';
import { searchedText } from '../origin.js';
import type { Credential, DocumentKey, Embedder, PassageStore, StoredPassage } from '../ports.js';
import { CollectionMismatch, checkVectorNames, collectionPath, collectionTraits } from './qdrant-collection.js';
import { QdrantError, QdrantHttp } from './qdrant-http.js';
import { BM25, bm25Document, type CollectionTraits, DENSE, type PointPayload } from './qdrant-layout.js';
import { CollectionPoints, documentFilter, PAGE, persistently, WRITE_TIMEOUT_MS } from './qdrant-points.js';

/** One collection of Qdrant as the place where ingested passages go. */
export class QdrantPassageStore implements PassageStore {
  readonly #http: QdrantHttp;
  readonly #collection: string;
  readonly #points: CollectionPoints;
  readonly #traits: CollectionTraits;
  readonly #embedder: Embedder | undefined;

  private constructor(http: QdrantHttp, collection: string, traits: CollectionTraits, embedder: Embedder | undefined) {
    this.#http = http;
    this.#collection = collection;
    this.#points = new CollectionPoints(http, collection);
    this.#traits = traits;
    this.#embedder = embedder;
  }

  /**
   * Throws `CollectionMismatch` or `QdrantError` when the collection cannot be written to as it is.
   *
   * @param embedder makes the dense vectors, of a collection that has them; closed with the store
   */
  static async open(
    url: string,
    credential: Credential,
    collection: string,
    embedder?: Embedder,
  ): Promise<QdrantPassageStore> {
    const http = new QdrantHttp(url, credential);
    try {
      const traits = await persistently(() => collectionTraits(http, collection));
      refuseOtherModel(collection, traits, embedder);
      return new QdrantPassageStore(http, collection, traits, embedder);
    } catch (error) {
      await Promise.all([http.close(), embedder?.close()]);
      throw error;
    }
  }

  async count(key: DocumentKey, documentHash: string): Promise<{ all: number; current: number }> {
    const document = documentFilter(key);
    const [all, current] = await Promise.all([
      this.#points.count({ must: document }),
      this.#points.count({ must: [...document, { key: 'document_hash', match: { value: documentHash } }] }),
    ]);
    return { all, current };
  }

  async idsOf(key: DocumentKey, title: string): Promise<ReadonlySet<string>> {
    const ids = new Set<string>();
    for await (const { id, payload } of this.#points.scroll({ must: documentFilter(key) }, ['title'])) {
      if (payload?.title === title) ids.add(String(id));
    }
    return ids;
  }

  async adopt(ids: readonly string[], documentHash: string): Promise<boolean> {
    for (let start = 0; start < ids.length; start += PAGE) {
      const body = { payload: { document_hash: documentHash }, points: ids.slice(start, start + PAGE) };
      try {
        await this.#points.post('payload?wait=true', body, WRITE_TIMEOUT_MS);
      } catch (error) {
        // Somebody removed some of them meanwhile. Qdrant may have changed others before it saw that.
        if (error instanceof QdrantError && error.kind === 'not-found') return false;
        throw error;
      }
    }
    return true;
  }

  async put(passages: readonly StoredPassage[]): Promise<void> {
    const vectors = await this.#vectorsOf(passages);
    const points = passages.map((passage, index) => pointOf(passage, this.#traits, vectors?.[index]));
    await persistently(async () => {
      await checkVectorNames(this.#http, this.#collection, this.#traits);
      await this.#http.call({
        method: 'PUT',
        path: `${collectionPath(this.#collection)}/points?wait=true`,
        body: { points },
        timeoutMs: WRITE_TIMEOUT_MS,
        // Ids depend on the content: the same points again are the same points.
        idempotent: true,
      });
    });
  }

  async removeOthers(key: DocumentKey, documentHash: string): Promise<void> {
    await this.#points.remove({
      must: documentFilter(key),
      must_not: [{ key: 'document_hash', match: { value: documentHash } }],
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#http.close(), this.#embedder?.close()]);
  }

  async #vectorsOf(passages: readonly StoredPassage[]): Promise<readonly (readonly number[])[] | undefined> {
    const embedder = this.#embedder;
    if (!embedder || !this.#traits.embedding) return undefined;
    const texts = passages.map(searchedText);
    // Its own limit ends a call, and says what did not answer.
    return persistently(() => embedder.embed(texts, new AbortController().signal));
  }
}

/** A passage as a point of a collection that was made so. @param dense its vector, where the collection has dense ones */
export function pointOf(
  passage: StoredPassage,
  { language, averageLength }: CollectionTraits,
  dense: readonly number[] | undefined,
): Schemas['PointStruct'] {
  const payload: PointPayload = {
    text: passage.text,
    source: passage.source,
    title: passage.title,
    heading: passage.heading,
    course: passage.course,
    content_hash: passage.contentHash,
    document_hash: passage.documentHash,
    chunk: passage.chunk,
  };
  const vector = {
    [BM25]: bm25Document(searchedText(passage), language, averageLength),
    ...(dense ? { [DENSE]: [...dense] } : {}),
  };
  return { id: passage.id, vector, payload: { ...payload } };
}

/** Vectors of two models say nothing about each other, and a point without one would never be found by it. */
function refuseOtherModel(collection: string, { embedding }: CollectionTraits, embedder: Embedder | undefined): void {
  if (!embedding) return;
  const { model, dimension } = embedder ?? {};
  if (model === embedding.model && dimension === embedding.dimension) return;
  const made = `its vectors are ${embedding.model}'s, of ${embedding.dimension} numbers`;
  const found = model === undefined ? 'no embedding server was given' : `this one is ${model} with ${dimension}`;
  throw new CollectionMismatch(collection, [`${made}, and ${found}`]);
}
