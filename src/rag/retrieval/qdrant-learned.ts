import { EmbeddingError } from '../embeddings/openai-embedder.js';
import { type LearnedPassage, type LearnedPassages, Unlearnable } from '../learn.js';
import { searchedText } from '../origin.js';
import type { Credential, Embedder } from '../ports.js';
import type { CollectionSettings } from './collection-settings.js';
import { checkVectorNames, collectionPath, collectionTraits } from './qdrant-collection.js';
import { QdrantError, QdrantHttp } from './qdrant-http.js';
import { LEARNED } from './qdrant-layout.js';
import { pointOf } from './qdrant-store.js';

/** Longest write of a point or removal of some, in milliseconds. */
const WRITE_TIMEOUT_MS = 10_000;

export interface QdrantLearnedOptions {
  readonly url: string;
  readonly credential: Credential;
  /** All collections that questions search; those of LangChain are never written to. */
  readonly collections: readonly CollectionSettings[];
  /** Where new points go. @default - none are made */
  readonly into?: string | undefined;
  /** Makes the vectors, of a collection that has them; it stays the caller's to close. */
  readonly embedder?: Embedder | undefined;
}

/** Points that were made from exchanges. They are removed from every collection: the one they go to may have changed. */
export class QdrantLearned implements LearnedPassages {
  readonly #http: QdrantHttp;
  readonly #collections: readonly string[];
  readonly #into: string | undefined;
  readonly #embedder: Embedder | undefined;

  constructor({ url, credential, collections, into, embedder }: QdrantLearnedOptions) {
    this.#http = new QdrantHttp(url, credential);
    this.#collections = collections.filter(({ layout }) => layout === undefined).map(({ name }) => name);
    this.#into = into;
    this.#embedder = embedder;
  }

  get learns(): boolean {
    return this.#into !== undefined;
  }

  async put(passage: LearnedPassage): Promise<void> {
    if (this.#into === undefined) throw new Error('there is no collection to learn into');
    const traits = await collectionTraits(this.#http, this.#into);
    const dense = traits.embedding ? await takenOrRefused(passage, this.#vectorOf(passage)) : undefined;
    const point = pointOf(passage, traits, dense);
    await checkVectorNames(this.#http, this.#into, traits);
    await takenOrRefused(passage, this.#write(this.#into, passage, point));
  }

  async remove(exchangeId: string): Promise<void> {
    await this.#delete({ points: [exchangeId] });
  }

  async removeUser(userName: string): Promise<void> {
    const must = [
      { key: LEARNED.key, match: { value: LEARNED.value } },
      { key: 'user_name', match: { value: userName } },
    ];
    await this.#delete({ filter: { must } });
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  async #write(collection: string, passage: LearnedPassage, point: ReturnType<typeof pointOf>): Promise<void> {
    await this.#http.call({
      method: 'PUT',
      path: `${collectionPath(collection)}/points?wait=true`,
      body: {
        points: [
          { ...point, payload: { ...point.payload, [LEARNED.key]: LEARNED.value, user_name: passage.userName } },
        ],
      },
      timeoutMs: WRITE_TIMEOUT_MS,
      idempotent: true,
    });
  }

  async #delete(which: object): Promise<void> {
    await Promise.all(
      this.#collections.map(async (name) => {
        try {
          await this.#http.call({
            method: 'POST',
            path: `${collectionPath(name)}/points/delete?wait=true`,
            body: which,
            timeoutMs: WRITE_TIMEOUT_MS,
            idempotent: true,
          });
        } catch (error) {
          // A collection that is not there holds nothing.
          if (!(error instanceof QdrantError && error.kind === 'not-found')) throw error;
        }
      }),
    );
  }

  async #vectorOf(passage: LearnedPassage): Promise<readonly number[]> {
    const text = searchedText(passage);
    const [vector] = (await this.#embedder?.embed([text], AbortSignal.timeout(WRITE_TIMEOUT_MS))) ?? [];
    if (!vector) throw new Error('the collection has vectors, and there is no embedding server');
    return vector;
  }
}

/** A wrong key, collection or model is somebody's to mend, and a passage waits for that; one that is refused does not. */
async function takenOrRefused<T>({ id }: LearnedPassage, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const refused = (cause instanceof EmbeddingError || cause instanceof QdrantError) && cause.kind === 'refused';
    throw refused ? new Unlearnable(`what is learned from exchange ${id} was refused`, { cause }) : cause;
  }
}
