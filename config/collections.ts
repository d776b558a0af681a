import type { Settings } from './schema.js';

/** The model whose vectors a collection holds. */
export interface CollectionEmbedding {
  /** Its name in the YAML, which the collection remembers. */
  readonly model: string;
  /** Numbers in one vector. */
  readonly dimension: number;
}

/** A collection with what follows from the rest of the environment. */
export interface SettledCollection {
  readonly name: string;
  readonly layout: 'ragdock' | 'langchain';
  readonly language: 'russian' | 'english';
  readonly limit: number;
  /** Undefined: BM25 alone. */
  readonly embedding: CollectionEmbedding | undefined;
  readonly courseField: string | undefined;
}

/** The collections of an environment in the order of the YAML. */
export function collectionsOf({ api, embeddings }: Settings['services']): readonly SettledCollection[] {
  const embedding = { model: embeddings.model.name, dimension: embeddings.dimension };
  return Object.entries(api.collections).map(([name, { layout, language, limit, dense, courseField }]) => ({
    name,
    layout,
    language,
    limit,
    embedding: layout === 'langchain' || (dense ?? embeddings.enabled) ? embedding : undefined,
    courseField,
  }));
}
