import type { Schemas } from '@qdrant/js-client-rest';
import { QdrantError, type QdrantHttp } from './qdrant-http.js';
import {
  BM25,
  type CollectionTraits,
  collectionDefinition,
  DENSE,
  DISTANCE,
  type Embedding,
  metadataFor,
  PAYLOAD_INDEXES,
  QDRANT_AVERAGE_LENGTH,
  STRICT_MODE,
  traitsIn,
} from './qdrant-layout.js';

/** Making a collection writes a log file of its own and syncs it; on a slow disk that takes a while. */
const CREATE_TIMEOUT_MS = 30_000;
const READ_TIMEOUT_MS = 5000;

/** A collection exists that was made otherwise. It is never altered: its points would no longer fit. */
export class CollectionMismatch extends Error {
  override readonly name = 'CollectionMismatch';

  constructor(
    readonly collection: string,
    readonly differences: readonly string[],
  ) {
    super(`collection ${collection} was made otherwise: ${differences.join('; ')}`);
  }
}

/** Makes the collection with its indexes, or checks the one that is there. Throws `CollectionMismatch`. */
export async function ensureCollection(
  http: QdrantHttp,
  name: string,
  traits: CollectionTraits,
): Promise<'created' | 'present'> {
  const created = (await readCollection(http, name)) === undefined;
  if (created) await create(http, name, traits);
  const info = await readCollection(http, name);
  if (!info) throw new QdrantError('not-found', `collection ${name} vanished after it was made`);
  const differences = differencesOf(info, traits);
  if (differences.length > 0) throw new CollectionMismatch(name, differences);
  await ensureIndexes(http, name, info);
  await ensureStrictMode(http, name, info);
  return created ? 'created' : 'present';
}

/** What a collection was made for. Throws `CollectionMismatch` unless its layout is the current one. */
export async function collectionTraits(http: QdrantHttp, name: string): Promise<CollectionTraits> {
  const info = await readCollection(http, name);
  if (!info) throw new QdrantError('not-found', `there is no collection ${name}; the job qdrant-collections makes it`);
  const traits = traitsIn(info.config.metadata as Readonly<Record<string, unknown>> | undefined);
  const differences = differencesOf(info, traits ?? { language: 'russian' });
  if (!traits || differences.length > 0) throw new CollectionMismatch(name, differences);
  return traits;
}

/** Terms that a collection takes a passage to have on average; undefined when there is no such collection. */
export async function averageLengthOf(http: QdrantHttp, name: string): Promise<number | undefined> {
  const info = await readCollection(http, name);
  if (!info) return undefined;
  const traits = traitsIn(info.config.metadata as Readonly<Record<string, unknown>> | undefined);
  return traits?.averageLength ?? QDRANT_AVERAGE_LENGTH;
}

/**
 * Throws unless the collection has exactly the vectors that points are given. Qdrant checks their names only after
 * its write-ahead log: a refused upsert with an unknown name takes effect, without the vector, at the next start.
 */
export async function checkVectorNames(http: QdrantHttp, name: string, { embedding }: CollectionTraits): Promise<void> {
  const info = await readCollection(http, name);
  if (!info) throw new QdrantError('not-found', `there is no collection ${name}; the job qdrant-collections makes it`);
  const differences = vectorDifferences(info, embedding);
  if (differences.length > 0) throw new CollectionMismatch(name, differences);
}

export function collectionPath(name: string): string {
  return `/collections/${encodeURIComponent(name)}`;
}

export async function readCollection(http: QdrantHttp, name: string): Promise<Schemas['CollectionInfo'] | undefined> {
  try {
    return await http.call<Schemas['CollectionInfo']>({
      method: 'GET',
      path: collectionPath(name),
      timeoutMs: READ_TIMEOUT_MS,
      idempotent: true,
    });
  } catch (error) {
    if (error instanceof QdrantError && error.kind === 'not-found') return undefined;
    throw error;
  }
}

async function create(http: QdrantHttp, name: string, traits: CollectionTraits): Promise<void> {
  try {
    await http.call({
      method: 'PUT',
      path: collectionPath(name),
      body: collectionDefinition(traits),
      timeoutMs: CREATE_TIMEOUT_MS,
      idempotent: false,
    });
  } catch (error) {
    // Somebody else made it in the meantime; the check that follows says whether in the same way.
    if (!(error instanceof QdrantError && error.status === 409)) throw error;
  }
}

async function ensureIndexes(http: QdrantHttp, name: string, info: Schemas['CollectionInfo']): Promise<void> {
  const missing = Object.entries(PAYLOAD_INDEXES).filter(([field]) => !info.payload_schema[field]);
  if (missing.length > 0 && (info.points_count ?? 0) > 0) {
    throw new CollectionMismatch(
      name,
      missing.map(([field]) => `it holds points but has no index on ${field}`),
    );
  }
  for (const [field, schema] of missing) {
    await http.call({
      method: 'PUT',
      path: `${collectionPath(name)}/index?wait=true`,
      body: { field_name: field, field_schema: schema },
      timeoutMs: CREATE_TIMEOUT_MS,
      idempotent: true,
    });
  }
}

/** Unlike vectors and metadata, limits can be set at any time; a collection that has others gets ours. */
async function ensureStrictMode(http: QdrantHttp, name: string, { config }: Schemas['CollectionInfo']): Promise<void> {
  const found: object = config.strict_mode_config ?? {};
  const same = Object.entries(STRICT_MODE).every(([limit, value]) => found[limit as keyof object] === value);
  if (same) return;
  await http.call({
    method: 'PATCH',
    path: collectionPath(name),
    body: { strict_mode_config: STRICT_MODE },
    timeoutMs: CREATE_TIMEOUT_MS,
    idempotent: true,
  });
}

function differencesOf(info: Schemas['CollectionInfo'], traits: CollectionTraits): string[] {
  const wanted = metadataFor(traits);
  const differences = vectorDifferences(info, traits.embedding);
  const metadata = info.config.metadata ?? {};
  if (Object.keys(wanted).every((key) => metadata[key] === undefined)) {
    return [...differences, 'it says nothing of its language, chunking and embedding'];
  }
  for (const [key, value] of Object.entries(wanted)) {
    const found = metadata[key];
    if (found !== value) differences.push(`its ${key} is ${JSON.stringify(found) ?? 'not known'}, not ${value}`);
  }
  return differences;
}

function vectorDifferences(
  { config: { params } }: Schemas['CollectionInfo'],
  embedding: Embedding | undefined,
): string[] {
  const differences = denseDifferences(params.vectors ?? {}, embedding);
  const sparse = params.sparse_vectors ?? {};
  if (!sparse[BM25]) differences.push(`it has no sparse vector ${BM25}`);
  else if (sparse[BM25].modifier !== 'idf') differences.push(`its sparse vector ${BM25} has no modifier idf`);
  const others = Object.keys(sparse).filter((vector) => vector !== BM25);
  if (others.length > 0) differences.push(`it has other sparse vectors (${others.join(', ')})`);
  return differences;
}

function denseDifferences(vectors: Schemas['VectorsConfig'], embedding: Embedding | undefined): string[] {
  if (typeof vectors.size === 'number') return ['it has a dense vector without a name'];
  const dense = vectors as Readonly<Record<string, Schemas['VectorParams']>>;
  const others = Object.keys(dense).filter((vector) => !embedding || vector !== DENSE);
  const differences =
    others.length === 0 ? [] : [`it has ${embedding ? 'other ' : ''}dense vectors (${others.join(', ')})`];
  if (!embedding) return differences;
  const found = dense[DENSE];
  if (!found) return [...differences, `it has no dense vector ${DENSE}`];
  if (found.size !== embedding.dimension) {
    differences.push(`its vector ${DENSE} has ${found.size} numbers, not ${embedding.dimension}`);
  }
  if (found.distance !== DISTANCE)
    differences.push(`its vector ${DENSE} is compared by ${found.distance}, not ${DISTANCE}`);
  return differences;
}
