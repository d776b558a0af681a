import type { Schemas } from '@qdrant/js-client-rest';
import { originOf } from '../origin.js';
import type { Credential, DocumentKey, PassageStore, StoredPassage } from '../ports.js';
import { retry } from '../retry.js';
import { checkVectorNames, collectionLanguage, collectionPath } from './qdrant-collection.js';
import { QdrantError, QdrantHttp } from './qdrant-http.js';
import { BM25, bm25Document, type Language, type PointPayload } from './qdrant-layout.js';

const READ_TIMEOUT_MS = 10_000;
const WRITE_TIMEOUT_MS = 30_000;

/** How long one step of an ingestion goes on against a server that is down or busy, in milliseconds. */
const RETRY_DEADLINE_MS = 60_000;

/** One collection of Qdrant as the place where ingested passages go. */
export class QdrantPassageStore implements PassageStore {
  readonly #http: QdrantHttp;
  readonly #collection: string;
  readonly #language: Language;

  private constructor(http: QdrantHttp, collection: string, language: Language) {
    this.#http = http;
    this.#collection = collection;
    this.#language = language;
  }

  /** Throws `CollectionMismatch` or `QdrantError` when the collection cannot be written to as it is. */
  static async open(url: string, credential: Credential, collection: string): Promise<QdrantPassageStore> {
    const http = new QdrantHttp(url, credential);
    try {
      const language = await persistently(() => collectionLanguage(http, collection));
      return new QdrantPassageStore(http, collection, language);
    } catch (error) {
      await http.close();
      throw error;
    }
  }

  async count(key: DocumentKey, documentHash: string): Promise<{ all: number; current: number }> {
    const document = conditions(key);
    const [all, current] = await Promise.all([
      this.#countMatching({ must: document }),
      this.#countMatching({ must: [...document, { key: 'document_hash', match: { value: documentHash } }] }),
    ]);
    return { all, current };
  }

  async put(passages: readonly StoredPassage[]): Promise<void> {
    const points = passages.map((passage) => this.#point(passage));
    await persistently(async () => {
      await checkVectorNames(this.#http, this.#collection);
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
    const filter: Schemas['Filter'] = {
      must: conditions(key),
      must_not: [{ key: 'document_hash', match: { value: documentHash } }],
    };
    await persistently(() =>
      this.#http.call({
        method: 'POST',
        path: `${collectionPath(this.#collection)}/points/delete?wait=true`,
        body: { filter },
        timeoutMs: WRITE_TIMEOUT_MS,
        idempotent: true,
      }),
    );
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  async #countMatching(filter: Schemas['Filter']): Promise<number> {
    const { count } = await persistently(() =>
      this.#http.call<Schemas['CountResult']>({
        method: 'POST',
        path: `${collectionPath(this.#collection)}/points/count`,
        body: { filter, exact: true },
        timeoutMs: READ_TIMEOUT_MS,
        idempotent: true,
      }),
    );
    return count;
  }

  #point(passage: StoredPassage): Schemas['PointStruct'] {
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
    const searched = `${originOf(passage)}\n${passage.text}`;
    return { id: passage.id, vector: { [BM25]: bm25Document(searched, this.#language) }, payload: { ...payload } };
  }
}

function conditions({ course, source }: DocumentKey): Schemas['FieldCondition'][] {
  return [
    { key: 'course', match: { value: course } },
    { key: 'source', match: { value: source } },
  ];
}

function persistently<T>(step: () => Promise<T>): Promise<T> {
  return retry(step, {
    deadlineMs: RETRY_DEADLINE_MS,
    isTransient: (error) => error instanceof QdrantError && error.transient,
  });
}
