import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { operatorDocuments } from '../../src/apps/operator/documents.js';
import { ingest, passagesOf } from '../../src/rag/ingest/ingest.js';
import type { PassageStore } from '../../src/rag/ports.js';
import { ensureCollection } from '../../src/rag/retrieval/qdrant-collection.js';
import { QdrantHttp } from '../../src/rag/retrieval/qdrant-http.js';
import { collectionDefinition } from '../../src/rag/retrieval/qdrant-layout.js';
import { QdrantLearned } from '../../src/rag/retrieval/qdrant-learned.js';
import { QdrantPassageStore } from '../../src/rag/retrieval/qdrant-store.js';
import { RotatingCredential } from '../support/rag-parts.js';
import { QdrantProcess, storageFolder } from './qdrant/harness/server.js';

// Listing and removing documents, against Qdrant's own engine: more passages than one page of a list has.

const KEY = 'a-key-of-the-test';
const COLLECTION = 'BD_curs_data';
const LONG = `# Гномон\n\n${Array.from({ length: 1100 }, (_, index) => `## ${index}\n\n${`Тень ${index}. `.repeat(120)}`).join('\n\n')}`;

let folder: Awaited<ReturnType<typeof storageFolder>>;
let qdrant: QdrantProcess;
let http: QdrantHttp;
let url: string;

beforeAll(async () => {
  folder = await storageFolder();
  qdrant = await QdrantProcess.start(folder.path, { QDRANT__SERVICE__API_KEY: KEY });
  url = `http://127.0.0.1:${qdrant.port}`;
  writeFileSync(join(folder.path, 'key.v1'), KEY);
  const credential = new RotatingCredential(KEY);
  http = new QdrantHttp(url, credential);
  await ensureCollection(http, COLLECTION, { language: 'russian' });
  const store = await QdrantPassageStore.open(url, credential, COLLECTION);
  for (const [course, source, content] of [
    ['demo', 'long.md', LONG],
    ['demo', 'docs/short.md', '# Тень\n\nКороткая.'],
    ['other', 'docs/short.md', '# Тень\n\nДругого курса.'],
  ] as const) {
    const passages = passagesOf({ path: source, content }, { course, source });
    for (let start = 0; start < passages.length; start += 200) await store.put(passages.slice(start, start + 200));
  }
  await store.close();
  const learned = new QdrantLearned({
    url,
    credential,
    collections: [{ name: COLLECTION, language: 'russian' }],
    into: COLLECTION,
  });
  const source = 'history/6a1f1f3e-93a5-4a6e-8f0e-3a8f4c1f2b3d';
  const [passage] = passagesOf({ path: 'a.md', content: 'Выучено.' }, { course: 'demo', source: 'a.md' });
  if (!passage) throw new Error('there is no passage');
  await learned.put({ ...passage, source, id: '6a1f1f3e-93a5-4a6e-8f0e-3a8f4c1f2b3d', userName: 'Иван' });
  await learned.close();
}, 120_000);

afterAll(async () => {
  await http?.close();
  await qdrant?.stop('SIGKILL');
  await folder?.remove();
});

async function operator(args: readonly string[], input = '') {
  const events: Record<string, unknown>[] = [];
  async function* bytes() {
    yield Buffer.from(input);
  }
  const environment = { QDRANT_URL: url, QDRANT_API_KEY_FILE: join(folder.path, 'key') };
  const exit = await operatorDocuments(['--course', 'demo', ...args], environment, bytes(), (text) => {
    events.push(JSON.parse(text));
  });
  return { exit, events };
}

const count = async () =>
  (
    await http.call<{ count: number }>({
      method: 'POST',
      path: `/collections/${COLLECTION}/points/count`,
      body: { exact: true },
      timeoutMs: 10_000,
      idempotent: true,
    })
  ).count;

test('documents of the course are listed with all their passages, what was learned is not', async () => {
  const { exit, events } = await operator(['--collection', COLLECTION]);
  expect(exit).toBe(0);
  expect(events).toEqual([
    { event: 'document', path: 'docs/short.md', title: 'Тень', chunks: 1 },
    { event: 'document', path: 'long.md', title: 'Гномон', chunks: (await count()) - 3 },
    { event: 'done' },
  ]);
  expect(Number(events[1]?.chunks)).toBeGreaterThan(1000);
});

test('a removed document is gone from its course, and nothing else is', async () => {
  const before = await count();
  const names = ['docs/short.md', 'docs/short.md', 'history/6a1f1f3e-93a5-4a6e-8f0e-3a8f4c1f2b3d'];
  const { exit, events } = await operator(
    ['--collection', COLLECTION, '--remove'],
    names.map((name) => `${JSON.stringify(name)}\n`).join(''),
  );
  expect({ exit, chunks: events.map(({ chunks }) => chunks) }).toEqual({ exit: 0, chunks: [1, 0, 0, undefined] });
  expect(await count()).toBe(before - 1);
  const { events: left } = await operator(['--collection', COLLECTION]);
  expect(left.map(({ path }) => path)).toEqual(['long.md', undefined]);
});

test('a document that is removed while it is ingested comes back whole', async () => {
  const store = await QdrantPassageStore.open(url, new RotatingCredential(KEY), COLLECTION);
  const remove = () => operator(['--collection', COLLECTION, '--remove'], '"long.md"\n');
  let removals = 0;
  const removing: PassageStore = {
    count: (...args) => store.count(...args),
    idsOf: (...args) => store.idsOf(...args),
    put: (passages) => store.put(passages),
    adopt: async (...args) => {
      if (removals === 0) {
        removals += 1;
        await remove();
      }
      return store.adopt(...args);
    },
    removeOthers: (...args) => store.removeOthers(...args),
    close: () => store.close(),
  };
  const reports = [];
  for await (const report of ingest([{ path: 'long.md', content: `${LONG}\n\n## Ещё\n\nИ ещё.` }], removing, 'demo')) {
    reports.push(report);
  }
  await store.close();
  expect(removals).toBe(1);
  expect(reports).toEqual([{ path: 'long.md', status: 'updated', chunks: expect.any(Number) }]);
  const { events } = await operator(['--collection', COLLECTION]);
  expect(events[0]).toMatchObject({ path: 'long.md', chunks: reports[0]?.chunks });
});

test('a collection of another chunking or model is listed and emptied', async () => {
  const traits = { language: 'russian', embedding: { model: 'm', dimension: 2 } } as const;
  const { metadata, ...definition } = collectionDefinition(traits);
  const path = '/collections/older';
  const put = (below: string, body: object) =>
    http.call({ method: 'PUT', path: `${path}${below}`, body, timeoutMs: 30_000, idempotent: false });
  await put('', { ...definition, metadata: { ...metadata, chunking: 0 } });
  const payload = { course: 'demo', source: 'old.md', title: 'Старое' };
  await put('/points?wait=true', {
    points: [
      { id: 1, vector: { dense: [1, 0] }, payload },
      { id: 2, vector: { dense: [1, 0] }, payload: { course: 'demo' } },
    ],
  });
  const document = { path: 'old.md', chunks: 1 };
  expect((await operator(['--collection', 'older'])).events).toEqual([
    { event: 'document', title: 'Старое', ...document },
    { event: 'done' },
  ]);
  const { events } = await operator(['--collection', 'older', '--remove'], '"old.md"\n');
  expect(events).toEqual([{ event: 'removed', ...document }, { event: 'done' }]);
});

test('a collection that is not there, or that ragdock did not make, is refused', async () => {
  await http.call({
    method: 'PUT',
    path: '/collections/theirs',
    body: { vectors: { size: 4, distance: 'Cosine' } },
    timeoutMs: 30_000,
    idempotent: false,
  });
  const absent = await operator(['--collection', 'nowhere']);
  const theirs = await operator(['--collection', 'theirs', '--remove'], '"a.md"\n');
  expect([absent.exit, theirs.exit]).toEqual([1, 1]);
  expect(absent.events).toEqual([{ event: 'error', detail: 'there is no collection nowhere' }]);
  expect(theirs.events).toEqual([{ event: 'error', detail: expect.stringContaining('collection theirs') }]);
});
