import type { Schemas } from '@qdrant/js-client-rest';
import { CHUNKING_VERSION } from '../ingest/chunk.js';
import { searchText } from '../normalise.js';

export type Language = 'russian' | 'english';

/** Name of the sparse vector of a collection. */
export const BM25 = 'bm25';

/** Name of the dense vector of a collection that has one. */
export const DENSE = 'dense';

/** Which model makes the dense vectors of a collection. */
export interface Embedding {
  readonly model: string;
  /** Numbers in one vector. */
  readonly dimension: number;
}

/** What a collection is made for. */
export interface CollectionTraits {
  readonly language: Language;
  /** @default - BM25 alone */
  readonly embedding?: Embedding | undefined;
  /** Terms that BM25 takes a passage to have on average, from 1. @default - Qdrant's own: the collection is older than this field */
  readonly averageLength?: number | undefined;
}

/**
 * Terms of a passage that collections are made with. Passages of documents have 62 to 78 (those of the demo course and
 * of ragdock's own pages, stop words left out). With Qdrant's 256 all of them count as short, and a word that comes
 * often in one says too little: nDCG@10 on Cranfield is 0.376 with 256 and 0.397 with 80, and on XQuAD-ru 0.952 and 0.950.
 */
const AVERAGE_LENGTH = 80;

/** Terms that Qdrant takes a passage to have where nothing is said. */
export const QDRANT_AVERAGE_LENGTH = 256;

/** Raised when points are laid out otherwise than before: vectors, payload or indexes. */
const SCHEMA_VERSION = 1;

/** What a collection was made for, kept in its own metadata. One that says something else is refused, but for its length. */
export interface CollectionMetadata {
  readonly schema: number;
  readonly language: Language;
  readonly chunking: number;
  /** Model of the dense vector; `none` without one. */
  readonly embedding: string;
  /** 0 without a dense vector. */
  readonly dimension: number;
  /** @default - the collection is older than this field */
  readonly average_length?: number;
}

/** What the metadata has in place of a model where there is no dense vector. */
const NO_EMBEDDING: Embedding = { model: 'none', dimension: 0 };

export function metadataFor(traits: CollectionTraits): CollectionMetadata {
  const { language, embedding = NO_EMBEDDING, averageLength } = traits;
  const { model, dimension } = embedding;
  return {
    schema: SCHEMA_VERSION,
    language,
    chunking: CHUNKING_VERSION,
    embedding: model,
    dimension,
    ...(averageLength === undefined ? {} : { average_length: averageLength }),
  };
}

/** What a collection's own metadata says that it was made for; undefined when it says nothing that can be understood. */
export function traitsIn(metadata: Readonly<Record<string, unknown>> = {}): CollectionTraits | undefined {
  const { language, embedding, dimension, average_length: averageLength } = metadata;
  if (!isLanguage(language)) return undefined;
  if (typeof embedding !== 'string' || typeof dimension !== 'number') return undefined;
  return {
    language,
    ...(embedding === NO_EMBEDDING.model ? {} : { embedding: { model: embedding, dimension } }),
    ...(typeof averageLength === 'number' ? { averageLength } : {}),
  };
}

/**
 * What no request of a client may ask for, whoever holds the key: without limits one query could ask for every point at
 * once. Ours ask for some dozens of points and wait 30 s at most.
 */
export const STRICT_MODE: Schemas['StrictModeConfig'] = {
  enabled: true,
  max_query_limit: 1000,
  max_timeout: 60,
  filter_max_conditions: 64,
};

/** How a collection is made. */
export function collectionDefinition(traits: CollectionTraits): Schemas['CreateCollection'] {
  const { language, embedding, averageLength = AVERAGE_LENGTH } = traits;
  return {
    ...(embedding ? { vectors: { [DENSE]: { size: embedding.dimension, distance: DISTANCE } } } : {}),
    sparse_vectors: { [BM25]: { modifier: 'idf' } },
    strict_mode_config: { ...STRICT_MODE },
    metadata: { ...metadataFor({ language, embedding, averageLength }) },
  };
}

/** How vectors are compared. Only what has this measure is compared with a threshold between -1 and 1. */
export const DISTANCE = 'Cosine';

/** Payload indexes; made before the first point, since Qdrant builds its structures for a tenant as points come. */
export const PAYLOAD_INDEXES: Readonly<Record<string, Schemas['PayloadFieldSchema']>> = {
  course: { type: 'keyword', is_tenant: true },
  source: { type: 'keyword' },
};

/**
 * A text for BM25, stemmed by the server. The same function serves points and queries, because a difference between
 * the two, be it the spelling of an option, gives no error but wrong terms.
 *
 * @param averageLength for a point; in a question each word weighs the same, however long texts are
 */
export function bm25Document(text: string, language: Language, averageLength?: number): Schemas['Document'] {
  const options = { language, ...(averageLength === undefined ? {} : { avg_len: averageLength }) };
  return { text: searchText(text), model: 'qdrant/bm25', options };
}

/** What a point keeps beside its vectors. */
export interface PointPayload {
  readonly text: string;
  readonly source: string;
  readonly title: string;
  readonly heading: string;
  readonly course: string;
  readonly content_hash: string;
  readonly document_hash: string;
  readonly chunk: number;
}

/** What the payload of a point says that was learned from an exchange; others say nothing of where they come from. */
export const LEARNED = { key: 'origin', value: 'history' } as const;

export function isLanguage(value: unknown): value is Language {
  return value === 'russian' || value === 'english';
}
