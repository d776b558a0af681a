import { abortReason } from './failure.js';
import { cleanText } from './normalise.js';
import type { Passage, Retrieval } from './ports.js';

export interface Retrieved {
  /** By collection in the configured order, best first, each content once. */
  readonly passages: readonly Passage[];
  /** Collections that could not be searched, with the cause. */
  readonly failures: ReadonlyMap<string, Error>;
  /** Why no vectors were compared, though collections have them. */
  readonly vectorFailure?: Error | undefined;
  /** How long the question's vector took, in milliseconds. */
  readonly embedMs?: number | undefined;
}

/**
 * Searches the collections for a question and merges what they found: of each as many as its limit allows, none of which
 * another one has already.
 */
export async function retrieve(
  retrieval: Retrieval,
  message: string,
  course: string,
  signal: AbortSignal,
): Promise<Retrieved> {
  const { collections, vectorFailure, embedMs } = await retrieval.search(cleanText(message).trim(), course, signal);
  if (signal.aborted) throw abortReason(signal);
  const failures = new Map<string, Error>();
  const passages: Passage[] = [];
  const seen = new Set<string>();
  for (const result of collections) {
    if ('failure' in result) {
      failures.set(result.collection, result.failure);
      continue;
    }
    const { limit = Number.POSITIVE_INFINITY } = result;
    let taken = 0;
    for (const passage of [...result.passages].sort(byRank)) {
      if (taken >= limit) break;
      if (seen.has(passage.contentHash)) continue;
      seen.add(passage.contentHash);
      passages.push(passage);
      taken += 1;
    }
  }
  return { passages, failures, vectorFailure, embedMs };
}

/** Equal scores are common in BM25, and in a fusion of ranks; without the second key the order would change from question to question. */
function byRank(a: Passage, b: Passage): number {
  return b.score - a.score || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
