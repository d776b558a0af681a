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
}

/** Raised when points are laid out otherwise than before: vectors, payload or indexes. */
const SCHEMA_VERSION = 1;

/** What a collection was made for, kept in its own metadata. Collections that say something else are refused. */
export interface CollectionMetadata {
  readonly schema: number;
  readonly language: Language;
  readonly chunking: number;
  /** Model of the dense vector; `none` without one. */
  readonly embedding: string;
  /** 0 without a dense vector. */
  readonly dimension: number;
}

/** What the metadata has in place of a model where there is no dense vector. */
const NO_EMBEDDING: Embedding = { model: 'none', dimension: 0 };

export function metadataFor({ language, embedding = NO_EMBEDDING }: CollectionTraits): CollectionMetadata {
  const { model, dimension } = embedding;
  return { schema: SCHEMA_VERSION, language, chunking: CHUNKING_VERSION, embedding: model, dimension };
}

/** What a collection's own metadata says that it was made for; undefined when it says nothing that can be understood. */
export function traitsIn(metadata: Readonly<Record<string, unknown>> = {}): CollectionTraits | undefined {
  const { language, embedding, dimension } = metadata;
  if (!isLanguage(language)) return undefined;
  if (typeof embedding !== 'string' || typeof dimension !== 'number') return undefined;
  return embedding === NO_EMBEDDING.model ? { language } : { language, embedding: { model: embedding, dimension } };
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
  const { embedding } = traits;
  return {
    ...(embedding ? { vectors: { [DENSE]: { size: embedding.dimension, distance: DISTANCE } } } : {}),
    sparse_vectors: { [BM25]: { modifier: 'idf' } },
    strict_mode_config: { ...STRICT_MODE },
    metadata: { ...metadataFor(traits) },
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
 */
export function bm25Document(text: string, language: Language): Schemas['Document'] {
  return { text: searchText(text), model: 'qdrant/bm25', options: { language } };
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
