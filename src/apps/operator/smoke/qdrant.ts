import { isDeepStrictEqual } from 'node:util';
import type { Schemas } from '@qdrant/js-client-rest';
import type { CollectionSettings } from '../../../rag/retrieval/collection-settings.js';
import {
  BM25,
  bm25Document,
  collectionDefinition,
  DENSE,
  DISTANCE,
  metadataFor,
} from '../../../rag/retrieval/qdrant-layout.js';
import { newest } from '../../secret-file.js';
import { CheckFailure, type Finding, type ServiceChecks } from './check.js';
import { askHttp, excerptOf, expectStatus, type HttpQuestion, type HttpReply, jsonOf } from './http.js';
import type { TargetOf } from './protocol.js';

/** Every scratch collection begins so; the rest of its name is the run. */
const SCRATCH = 'ragdock-smoke-';

/** Two sentences that BM25 has to tell apart, and a question with another form of a word of the first one. */
const SENTENCES = ['Лаборатория открывается в девять часов утра.', 'Библиотека закрыта на ремонт до весны.'] as const;
const QUESTION = 'когда открываются лаборатории';

interface Access {
  readonly url: string;
  readonly keyFile: string;
}

/** Qdrant: its key, the collections as they were asked for, and a collection of our own from its making to its end. */
export function qdrantChecks(target: TargetOf<'qdrant'>, run: string): ServiceChecks {
  return {
    id: target.id,
    needs: target.needs,
    ready: async (signal) => {
      expectStatus(await askHttp({ url: `${target.url}/readyz`, signal }, '200'), 200);
      expectStatus(await askQdrant(target, { path: '/collections', signal }), 200, 'the list of collections');
    },
    checks: [
      { name: 'refuses without key', seconds: 10, run: (signal) => refusesStrangers(target, signal) },
      {
        name: 'collections',
        seconds: 20,
        run: (signal) => checkCollections(target, signal),
      },
      { name: 'writes and finds', seconds: 60, run: (signal) => writeAndFind(target, `${SCRATCH}${run}`, signal) },
    ],
  };
}

/** Remove scratch collections for which `isLeftover` says yes to the run that made them. */
export async function sweepScratchCollections(
  target: TargetOf<'qdrant'>,
  isLeftover: (run: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const reply = await askQdrant(target, { path: '/collections', signal });
  expectStatus(reply, 200);
  const { result } = jsonOf<{ result: Schemas['CollectionsResponse'] }>(reply, 'the list of collections');
  for (const { name } of result.collections) {
    if (name.startsWith(SCRATCH) && isLeftover(name.slice(SCRATCH.length))) await drop(target, name, signal);
  }
}

/** One call of the REST API with the newest key. */
export async function askQdrant(
  { url, keyFile }: Access,
  { path, ...question }: Omit<HttpQuestion, 'url' | 'headers'> & { readonly path: string },
): Promise<HttpReply> {
  const headers = { 'api-key': await newest(keyFile) };
  return askHttp({ ...question, url: `${url}${path}`, headers }, '200');
}

async function refusesStrangers({ url }: Access, signal: AbortSignal): Promise<void> {
  const reply = await askHttp({ url: `${url}/collections`, signal }, '401');
  if (reply.status === 401 || reply.status === 403) return;
  throw new CheckFailure({ asked: `${reply.asked} without a key`, expected: '401', came: excerptOf(reply) });
}

/** Every collection is looked at, and every difference told. */
async function checkCollections(target: TargetOf<'qdrant'>, signal: AbortSignal): Promise<void> {
  const checked = await Promise.allSettled(
    target.collections.map((collection) => checkCollection(target, collection, signal)),
  );
  const errors = checked.flatMap((it) => (it.status === 'rejected' ? [it.reason as unknown] : []));
  const [first, ...rest] = errors;
  if (errors.length === 0) return;
  if (rest.length === 0 || !errors.every((error) => error instanceof CheckFailure)) throw first;
  const told = (part: keyof Finding) => errors.map(({ finding }) => finding[part]).join('; ');
  throw new CheckFailure({ asked: told('asked'), expected: told('expected'), came: told('came') });
}

async function checkCollection(access: Access, collection: CollectionSettings, signal: AbortSignal): Promise<void> {
  const { name, embedding } = collection;
  const reply = await askQdrant(access, { path: `/collections/${encodeURIComponent(name)}`, signal });
  expectStatus(reply, 200, `the collection ${name}`);
  const { result } = jsonOf<{ result: Schemas['CollectionInfo'] }>(reply, `the collection ${name}`);
  const { params, metadata } = result.config;
  // How long it takes passages to be is a matter of when it was made.
  const { average_length: _, ...made } = (metadata ?? {}) as Readonly<Record<string, unknown>>;
  if (collection.layout === 'langchain') return checkVector(reply.asked, embedding?.dimension, params.vectors);
  const wanted = {
    metadata: metadataFor(collection),
    vectors: embedding ? { [DENSE]: { size: embedding.dimension, distance: DISTANCE } } : {},
    sparse: { [BM25]: { modifier: 'idf' } },
    status: 'not red',
  };
  const found = {
    metadata: made,
    vectors: vectorsIn(params.vectors),
    sparse: Object.fromEntries(
      Object.entries(params.sparse_vectors ?? {}).map(([vector, made]) => [vector, { modifier: made?.modifier }]),
    ),
    status: result.status === 'red' ? 'red' : 'not red',
  };
  if (isDeepStrictEqual(found, wanted)) return;
  const differing = (Object.keys(wanted) as (keyof typeof wanted)[]).filter(
    (key) => !isDeepStrictEqual(found[key], wanted[key]),
  );
  const show = (side: Readonly<Record<string, unknown>>) =>
    differing.map((key) => `${key} ${JSON.stringify(side[key])}`).join(', ');
  throw new CheckFailure({ asked: reply.asked, expected: show(wanted), came: show(found) });
}

/** Size and distance of each named vector; what else is said of them is the server's affair. */
function vectorsIn(vectors: Schemas['VectorsConfig'] = {}): object {
  if (typeof vectors.size === 'number') return { '': vectors };
  return Object.fromEntries(
    Object.entries(vectors as Readonly<Record<string, Schemas['VectorParams']>>).map(([name, { size, distance }]) => [
      name,
      { size, distance },
    ]),
  );
}

/** A collection of LangChain has one vector without a name. */
function checkVector(asked: string, dimension: number | undefined, vectors: Schemas['VectorsConfig'] = {}): void {
  if (vectors.size === dimension && vectors.distance === DISTANCE) return;
  const expected = `one vector without a name, of ${dimension} numbers, compared by ${DISTANCE}`;
  throw new CheckFailure({ asked, expected, came: `vectors ${JSON.stringify(vectors)}` });
}

async function writeAndFind(access: Access, collection: string, signal: AbortSignal): Promise<void> {
  const path = `/collections/${collection}`;
  try {
    expectStatus(
      await askQdrant(access, { method: 'PUT', path, body: collectionDefinition({ language: 'russian' }), signal }),
      200,
    );
    const points = SENTENCES.map((text, id) => ({
      id,
      vector: { [BM25]: bm25Document(text, 'russian') },
      payload: { text },
    }));
    expectStatus(
      await askQdrant(access, { method: 'PUT', path: `${path}/points?wait=true`, body: { points }, signal }),
      200,
    );
    const found = await askQdrant(access, {
      method: 'POST',
      path: `${path}/points/query`,
      body: { query: bm25Document(QUESTION, 'russian'), using: BM25, limit: 10, with_payload: true },
      signal,
    });
    expectStatus(found, 200);
    const { result } = jsonOf<{ result: Schemas['QueryResponse'] }>(found, 'points');
    const ids = result.points.map(({ id }) => id);
    if (!isDeepStrictEqual(ids, [0])) {
      throw new CheckFailure({
        asked: `${found.asked} for '${QUESTION}' among '${SENTENCES.join("', '")}'`,
        expected: 'point 0 alone',
        came: ids.length === 0 ? 'no point' : `points ${ids.join(', ')}`,
      });
    }
  } finally {
    // Also when the time is up: what was made is taken away again.
    await drop(access, collection, AbortSignal.timeout(10_000));
  }
  const gone = await askQdrant(access, { path: `${path}/exists`, signal });
  const { result } = jsonOf<{ result: { exists: boolean } }>(gone, 'whether the collection exists');
  if (result.exists) {
    throw new CheckFailure({ asked: gone.asked, expected: 'the collection is gone', came: excerptOf(gone) });
  }
}

async function drop(access: Access, collection: string, signal: AbortSignal): Promise<void> {
  const path = `/collections/${encodeURIComponent(collection)}`;
  expectStatus(await askQdrant(access, { method: 'DELETE', path, signal }), 200);
}
