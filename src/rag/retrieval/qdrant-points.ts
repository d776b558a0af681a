import type { Schemas } from '@qdrant/js-client-rest';
import { EmbeddingError } from '../embeddings/openai-embedder.js';
import type { DocumentKey } from '../ports.js';
import { retry } from '../retry.js';
import { collectionPath } from './qdrant-collection.js';
import { QdrantError, type QdrantHttp } from './qdrant-http.js';

const READ_TIMEOUT_MS = 10_000;
export const WRITE_TIMEOUT_MS = 30_000;

/** Points of one request that lists or changes what is stored; some hundred bytes each. */
export const PAGE = 1000;

/** How long one step goes on against a server that is down or busy, in milliseconds. */
const RETRY_DEADLINE_MS = 60_000;

/** What is stored in one collection. Each call may be made twice, and is made again while the server is down or busy. */
export class CollectionPoints {
  readonly #http: QdrantHttp;
  readonly #collection: string;

  constructor(http: QdrantHttp, collection: string) {
    this.#http = http;
    this.#collection = collection;
  }

  async count(filter: Schemas['Filter']): Promise<number> {
    const { count } = await this.post<Schemas['CountResult']>('count', { filter, exact: true }, READ_TIMEOUT_MS);
    return count;
  }

  /** Every point that the filter lets through, by id, with these fields of its payload. */
  async *scroll(filter: Schemas['Filter'], fields: readonly string[]): AsyncGenerator<Schemas['Record']> {
    let offset: Schemas['ScrollResult']['next_page_offset'] = null;
    do {
      const body = { filter, limit: PAGE, with_payload: fields, with_vector: false, offset };
      const page: Schemas['ScrollResult'] = await this.post('scroll', body, READ_TIMEOUT_MS);
      yield* page.points;
      offset = page.next_page_offset ?? null;
    } while (offset !== null);
  }

  async remove(filter: Schemas['Filter']): Promise<void> {
    await this.post('delete?wait=true', { filter }, WRITE_TIMEOUT_MS);
  }

  post<T>(operation: string, body: unknown, timeoutMs: number): Promise<T> {
    const path = `${collectionPath(this.#collection)}/points/${operation}`;
    return persistently(() => this.#http.call<T>({ method: 'POST', path, body, timeoutMs, idempotent: true }));
  }
}

/** The passages of one document. */
export function documentFilter({ course, source }: DocumentKey): Schemas['FieldCondition'][] {
  return [
    { key: 'course', match: { value: course } },
    { key: 'source', match: { value: source } },
  ];
}

/** Does a step that may be done twice until it succeeds, for a minute, while Qdrant or the embedding server is down or busy. */
export function persistently<T>(step: () => Promise<T>): Promise<T> {
  return retry(step, {
    deadlineMs: RETRY_DEADLINE_MS,
    isTransient: (error) => (error instanceof QdrantError || error instanceof EmbeddingError) && error.transient,
  });
}
