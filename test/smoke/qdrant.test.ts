import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TargetOf } from '../../src/apps/operator/smoke/protocol.js';
import { qdrantChecks, sweepScratchCollections } from '../../src/apps/operator/smoke/qdrant.js';
import { collectionDefinition } from '../../src/rag/retrieval/qdrant-layout.js';
import { type Handler, json, ScriptedServer } from '../support/http-server.js';
import { secretFile } from './support/secret-file.js';
import { failureOf } from './support/verdict.js';

const KEY = 'the-key-of-qdrant';
const RUN = '20261122t100000z-abcdef';
const SCRATCH = `ragdock-smoke-${RUN}`;

/** What a scripted Qdrant holds, and what it finds. */
interface Store {
  readonly collections: Map<string, object>;
  found: readonly number[];
}

let server: ScriptedServer;
let store: Store;

beforeEach(async () => {
  store = {
    collections: new Map([['BD_curs_data', config(collectionDefinition({ language: 'russian' }))]]),
    found: [0],
  };
  server = await ScriptedServer.start(qdrant(() => store));
});

afterEach(() => server.close());

function config({ sparse_vectors, metadata }: ReturnType<typeof collectionDefinition>, vectors: object = {}): object {
  return { params: { vectors, sparse_vectors }, metadata };
}

/** The paths of Qdrant that the smoke tests use, with its answers. */
function qdrant(holds: () => Store): Handler {
  return (request, response) => {
    const { collections, found } = holds();
    const answer = (result: unknown, status = 200) => json(response, status, { result, status: 'ok', time: 0 });
    if (request.path === '/readyz') return void response.end('all shards are ready');
    if (request.headers['api-key'] !== KEY) return void response.writeHead(401).end('Invalid API key or JWT');
    if (request.path === '/collections') {
      return answer({ collections: [...collections.keys()].map((name) => ({ name })) });
    }
    const [, name = '', rest = ''] = /^\/collections\/([^/?]+)(.*)$/.exec(request.path) ?? [];
    if (request.method === 'PUT' && rest === '') {
      collections.set(name, config(JSON.parse(request.body)));
      return answer(true);
    }
    if (request.method === 'DELETE') return answer(collections.delete(name));
    if (rest === '/exists') return answer({ exists: collections.has(name) });
    const made = collections.get(name);
    if (!made) return json(response, 404, { status: { error: `Not found: Collection ${name}` } });
    if (rest === '') return answer({ status: 'green', config: made });
    if (rest.startsWith('/points/query')) return answer({ points: found.map((id) => ({ id, score: 1 })) });
    return answer({ status: 'completed' });
  };
}

const target = (key = KEY): TargetOf<'qdrant'> => ({
  kind: 'qdrant',
  id: 'qdrant',
  needs: [],
  url: server.url,
  keyFile: secretFile(key),
  collections: [{ name: 'BD_curs_data', language: 'russian' }],
});
const soon = () => AbortSignal.timeout(5000);

function check(name: string): Promise<void> {
  const found = qdrantChecks(target(), RUN).checks.find((it) => it.name === name);
  if (!found) throw new Error(`there is no check '${name}'`);
  return found.run(soon());
}

test('a Qdrant that does what it should passes, and holds nothing of it afterwards', async () => {
  const checks = qdrantChecks(target(), RUN);
  await checks.ready(soon());
  for (const { run } of checks.checks) await run(soon());

  expect([...store.collections.keys()]).toEqual(['BD_curs_data']);
});

test('a wrong key is final', async () => {
  const failure = await failureOf(qdrantChecks(target('a-wrong-key'), RUN).ready(soon()));

  expect(failure.finding).toMatchObject({
    asked: `GET ${server.url}/collections`,
    came: '401 Invalid API key or JWT',
  });
  expect(failure.final).toBe(true);
});

test('a Qdrant without a key fails', async () => {
  server.handler = (_, response) => json(response, 200, { result: { collections: [] } });

  expect((await failureOf(check('refuses without key'))).finding).toMatchObject({ expected: '401' });
});

describe('collections', () => {
  test('that are missing', async () => {
    store.collections.clear();

    expect((await failureOf(check('collections'))).finding).toMatchObject({
      expected: '200: the collection BD_curs_data',
      came: expect.stringContaining('404'),
    });
  });

  test('are all told, not just the first', async () => {
    store.collections.clear();
    const two = [...target().collections, { name: 'BD_chat_question', language: 'russian' as const }];
    const checks = qdrantChecks({ ...target(), collections: two }, RUN).checks;
    const failure = await failureOf(checks.find(({ name }) => name === 'collections')?.run(soon()) ?? never());

    expect(failure.finding.expected).toBe('200: the collection BD_curs_data; 200: the collection BD_chat_question');
  });

  test('with a vector of a dimension that nobody asked for', async () => {
    const vectors = { dense: { size: 8, distance: 'Cosine' } };
    store.collections.set('BD_curs_data', config(collectionDefinition({ language: 'russian' }), vectors));

    expect((await failureOf(check('collections'))).finding).toMatchObject({
      expected: 'vectors {}',
      came: 'vectors {"dense":{"size":8,"distance":"Cosine"}}',
    });
  });

  test('made for another language', async () => {
    store.collections.set('BD_curs_data', config(collectionDefinition({ language: 'english' })));
    const { expected, came } = (await failureOf(check('collections'))).finding;

    expect(expected).toContain('"language":"russian"');
    expect(came).toContain('"language":"english"');
  });

  test('without the modifier that BM25 stands on', async () => {
    const made = collectionDefinition({ language: 'russian' });
    store.collections.set('BD_curs_data', config({ ...made, sparse_vectors: { bm25: {} } }));

    expect((await failureOf(check('collections'))).finding.came).toBe('sparse {"bm25":{}}');
  });
});

describe('the scratch collection', () => {
  test.each([
    ['nothing', [], 'no point'],
    ['the wrong point', [1], 'points 1'],
    ['everything', [0, 1], 'points 0, 1'],
  ])('in which %s is found', async (_, found, came) => {
    store.found = found;

    expect((await failureOf(check('writes and finds'))).finding).toMatchObject({ expected: 'point 0 alone', came });
    expect(store.collections.has(SCRATCH)).toBe(false);
  });

  test('is removed although writing fails: a full disk leaves /readyz at 200', async () => {
    const healthy = server.handler;
    server.handler = (request, response) =>
      request.path.includes('/points?')
        ? json(response, 500, { status: { error: 'No space left on device' } })
        : healthy(request, response);

    expect((await failureOf(check('writes and finds'))).finding.came).toContain('No space left on device');
    expect(store.collections.has(SCRATCH)).toBe(false);
  });

  test('is removed although the time is up', async () => {
    const healthy = server.handler;
    server.handler = (request, response) => {
      if (!request.path.includes('/points?')) return healthy(request, response);
    };
    const checks = qdrantChecks(target(), RUN).checks.find(({ name }) => name === 'writes and finds');

    await expect(checks?.run(AbortSignal.timeout(200))).rejects.toThrow();
    expect(store.collections.has(SCRATCH)).toBe(false);
  });
});

test('leftovers are removed, and nothing else', async () => {
  for (const name of ['ragdock-smoke-old', 'ragdock-smoke-alive', 'ragdock-smokes']) store.collections.set(name, {});
  await sweepScratchCollections(target(), (run) => run === 'old', soon());

  expect([...store.collections.keys()]).toEqual(['BD_curs_data', 'ragdock-smoke-alive', 'ragdock-smokes']);
});

function never(): never {
  throw new Error('there is no such check');
}
