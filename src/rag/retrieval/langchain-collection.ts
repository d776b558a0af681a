import { CollectionMismatch, readCollection } from './qdrant-collection.js';
import { QdrantError, type QdrantHttp } from './qdrant-http.js';
import { DISTANCE } from './qdrant-layout.js';

/** Throws `CollectionMismatch` unless the collection has one vector without a name, of this many numbers. */
export async function checkLangChainCollection(
  http: QdrantHttp,
  name: string,
  dimension: number | undefined,
): Promise<void> {
  const info = await readCollection(http, name);
  if (!info) throw new QdrantError('not-found', `there is no collection ${name}; LangChain makes it as it fills it`);
  const { size, distance } = info.config.params.vectors ?? {};
  const differences = [
    ...(typeof size === 'number' ? [] : ['it has no vector without a name']),
    ...(typeof size === 'number' && size !== dimension ? [`its vectors have ${size} numbers, not ${dimension}`] : []),
    ...(typeof size === 'number' && distance !== DISTANCE
      ? [`its vectors are compared by ${String(distance)}, not ${DISTANCE}`]
      : []),
  ];
  if (differences.length > 0) throw new CollectionMismatch(name, differences);
}
