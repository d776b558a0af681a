import type { Schemas } from '@qdrant/js-client-rest';
import type { Credential, DocumentKey } from '../ports.js';
import { CollectionMismatch, readCollection } from './qdrant-collection.js';
import { QdrantError, QdrantHttp } from './qdrant-http.js';
import { LEARNED, traitsIn } from './qdrant-layout.js';
import { CollectionPoints, documentFilter, persistently } from './qdrant-points.js';

/** A document that a collection holds. */
export interface StoredDocument {
  /** Its name, as it was ingested. */
  readonly source: string;
  readonly title: string;
  readonly passages: number;
}

/**
 * The documents of one collection, whatever it was made for: what was stored under an older chunking or with another
 * model can be listed and removed. What was learned from exchanges is none of them: that follows their feedback.
 */
export class QdrantDocuments {
  readonly #http: QdrantHttp;
  readonly #points: CollectionPoints;

  private constructor(http: QdrantHttp, collection: string) {
    this.#http = http;
    this.#points = new CollectionPoints(http, collection);
  }

  /** Throws `QdrantError`, or `CollectionMismatch` for a collection that ragdock did not make. */
  static async open(url: string, credential: Credential, collection: string): Promise<QdrantDocuments> {
    const http = new QdrantHttp(url, credential);
    try {
      const info = await persistently(() => readCollection(http, collection));
      if (!info) throw new QdrantError('not-found', `there is no collection ${collection}`);
      if (!traitsIn(info.config.metadata as Readonly<Record<string, unknown>> | undefined)) {
        throw new CollectionMismatch(collection, ['it does not say that ragdock made it']);
      }
      return new QdrantDocuments(http, collection);
    } catch (error) {
      await http.close();
      throw error;
    }
  }

  /** The documents of a course, by name. */
  async list(course: string): Promise<readonly StoredDocument[]> {
    const filter = ingested([{ key: 'course', match: { value: course } }]);
    const documents = new Map<string, StoredDocument>();
    for await (const { payload } of this.#points.scroll(filter, ['source', 'title'])) {
      // Points without a name are of nobody whose documents these are.
      if (typeof payload?.source !== 'string') continue;
      const { source } = payload;
      const { passages } = documents.get(source) ?? { passages: 0 };
      documents.set(source, { source, title: String(payload.title ?? ''), passages: passages + 1 });
    }
    return [...documents.values()].sort((a, b) => (a.source < b.source ? -1 : 1));
  }

  /** Removes a document; gives the number of its passages, 0 when there was none. */
  async remove(key: DocumentKey): Promise<number> {
    const filter = ingested(documentFilter(key));
    const passages = await this.#points.count(filter);
    if (passages > 0) await this.#points.remove(filter);
    return passages;
  }

  async close(): Promise<void> {
    await this.#http.close();
  }
}

function ingested(must: Schemas['FieldCondition'][]): Schemas['Filter'] {
  return { must, must_not: [{ key: LEARNED.key, match: { value: LEARNED.value } }] };
}
