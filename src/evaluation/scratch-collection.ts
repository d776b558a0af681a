import type { Schemas } from '@qdrant/js-client-rest';
import { collectionPath, ensureCollection } from '../rag/retrieval/qdrant-collection.js';
import type { QdrantHttp } from '../rag/retrieval/qdrant-http.js';
import type { CollectionTraits } from '../rag/retrieval/qdrant-layout.js';

/** Every collection of a measuring begins so; the rest of its name is the run. Nothing else is ever removed. */
const PREFIX = 'ragdock-eval-';

/** Qdrant frees the files while the request waits. */
const DELETE_TIMEOUT_MS = 30_000;
const LIST_TIMEOUT_MS = 5000;

/**
 * Does some work in a collection that is made for it as the stack's own are, and removed when the work ends, however
 * it ends.
 */
export async function inScratchCollection<T>(
  http: QdrantHttp,
  run: string,
  traits: CollectionTraits,
  work: (collection: string) => Promise<T>,
): Promise<T> {
  const name = `${PREFIX}${run}`;
  try {
    await ensureCollection(http, name, traits);
    return await work(name);
  } finally {
    await remove(http, name);
  }
}

/** Removes the collections of runs that were cut off. */
export async function sweepScratchCollections(http: QdrantHttp, isLeftover: (run: string) => boolean): Promise<void> {
  const { collections } = await http.call<Schemas['CollectionsResponse']>({
    method: 'GET',
    path: '/collections',
    timeoutMs: LIST_TIMEOUT_MS,
    idempotent: true,
  });
  for (const { name } of collections) {
    if (name.startsWith(PREFIX) && isLeftover(name.slice(PREFIX.length))) await remove(http, name);
  }
}

async function remove(http: QdrantHttp, name: string): Promise<void> {
  await http.call({ method: 'DELETE', path: collectionPath(name), timeoutMs: DELETE_TIMEOUT_MS, idempotent: true });
}
