import type { Schemas } from '@qdrant/js-client-rest';
import { hashOf } from '../ingest/identity.js';
import { cleanText } from '../normalise.js';
import type { Passage } from '../ports.js';
import type { SearchedCollection } from './collection-settings.js';
import { withHeadroom } from './headroom.js';

// LangChain's collections have one vector without a name for each point, the text in `page_content`, and what the writer
// knew of it in `metadata`. They are read as they are, and never written to.

/** The closest points of a course. */
export function langChainSearch(
  { limit, courseField }: SearchedCollection,
  vector: readonly number[],
  course: string,
): Schemas['QueryRequest'] {
  return {
    query: [...vector],
    ...(courseField === undefined ? {} : { filter: { must: [{ key: courseField, match: { value: course } }] } }),
    limit: withHeadroom(limit),
    with_payload: true,
  };
}

/** A point as a passage, its texts cleaned as those that ragdock writes are. Throws when it has no text. */
export function passageOfLangChain(
  { name }: SearchedCollection,
  { id, score, payload }: Schemas['ScoredPoint'],
): Passage {
  const { page_content: written, metadata } = (payload ?? {}) as { page_content?: unknown; metadata?: unknown };
  if (typeof written !== 'string')
    throw new Error(`point ${id} of ${name} has no page_content; LangChain did not write it`);
  const text = cleanText(written);
  const about = (typeof metadata === 'object' && metadata !== null ? metadata : {}) as Readonly<
    Record<string, unknown>
  >;
  const source = wordsIn(about.source) ?? name;
  const heading = wordsIn(about.heading) ?? '';
  return {
    collection: name,
    id: String(id),
    text,
    source,
    title: wordsIn(about.title) ?? source,
    heading,
    contentHash: hashOf(heading, text),
    score,
    similarity: score,
  };
}

function wordsIn(value: unknown): string | undefined {
  const words = typeof value === 'string' ? cleanText(value) : '';
  return words === '' ? undefined : words;
}
