import { z } from 'zod';

/** A collection as settings files describe it. */
export const CollectionSettings = z.strictObject({
  name: z.string(),
  /** Of stemming and stop words in BM25. */
  language: z.enum(['russian', 'english']),
  /** A collection that LangChain filled, which is only read. @default - ragdock's own */
  layout: z.literal('langchain').optional(),
  /** The model of its dense vectors, and how many numbers one has. @default - BM25 alone */
  embedding: z.strictObject({ model: z.string(), dimension: z.int().min(1) }).optional(),
});
export type CollectionSettings = z.output<typeof CollectionSettings>;

/** A collection that questions search. */
export const SearchedCollection = CollectionSettings.extend({
  /** Passages for one question. */
  limit: z.int().min(1),
  /** Where a collection of LangChain says the course of a point, such as `metadata.course`. @default - everything belongs to every course */
  courseField: z.string().optional(),
});
export type SearchedCollection = z.output<typeof SearchedCollection>;
