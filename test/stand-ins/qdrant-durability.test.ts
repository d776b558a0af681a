import { afterEach, expect, test } from 'vitest';
import { call } from './qdrant/harness/http.js';
import { QdrantProcess, storageFolder } from './qdrant/harness/server.js';

const COLLECTION = { vectors: { dense: { size: 2, distance: 'Dot' } }, sparse_vectors: { bm25: { modifier: 'idf' } } };

let folder: Awaited<ReturnType<typeof storageFolder>> | undefined;
let server: QdrantProcess | undefined;

afterEach(async () => {
  await server?.stop('SIGKILL');
  await folder?.remove();
  server = undefined;
  folder = undefined;
});

async function start(env: Record<string, string> = {}): Promise<QdrantProcess> {
  folder ??= await storageFolder();
  server = await QdrantProcess.start(folder.path, env);
  return server;
}

async function ok(port: number, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await call(port, method, path, body);
  expect(answer, `${method} ${path}`).toMatchObject({ status: 200 });
  return (answer.body as { result: unknown }).result;
}

test.each([true, false])('a write acknowledged with wait=%s is there after kill -9', async (wait) => {
  const { port } = await start();
  await ok(port, 'PUT', '/collections/c', COLLECTION);
  await ok(port, 'PUT', `/collections/c/points?wait=${wait}`, {
    points: [{ id: 1, vector: { dense: [1, 2], bm25: { indices: [7], values: [0.5] } }, payload: { course: 'a' } }],
  });
  await server?.stop('SIGKILL');

  const restarted = await start();
  expect(await ok(restarted.port, 'GET', '/collections/c/points/1')).toEqual({
    id: 1,
    payload: { course: 'a' },
    vector: { dense: [1, 2], bm25: { indices: [7], values: [0.5] } },
  });
});

test('deletions, payload changes, indexes, metadata and aliases survive kill -9 and are not doubled', async () => {
  const { port } = await start();
  await ok(port, 'PUT', '/collections/c', { ...COLLECTION, metadata: { language: 'russian' } });
  await ok(port, 'PUT', '/collections/c/index?wait=true', { field_name: 'course', field_schema: 'keyword' });
  await ok(port, 'PUT', '/collections/c/points?wait=true', {
    points: [1, 2, 3].map((id) => ({ id, vector: { dense: [id, id] }, payload: { course: 'a', visits: id } })),
  });
  await ok(port, 'POST', '/collections/c/points/delete?wait=true', { points: [2] });
  await ok(port, 'POST', '/collections/c/points/payload?wait=true', { points: [3], payload: { course: 'b' } });
  await ok(port, 'PATCH', '/collections/c', { metadata: { chunking: 2 } });
  await ok(port, 'POST', '/collections/aliases', {
    actions: [{ create_alias: { collection_name: 'c', alias_name: 'current' } }],
  });
  await server?.stop('SIGKILL');

  const restarted = await start();
  expect(await ok(restarted.port, 'GET', '/collections/current')).toMatchObject({
    points_count: 2,
    payload_schema: { course: { data_type: 'keyword', points: 2 } },
    config: { metadata: { language: 'russian', chunking: 2 } },
  });
  expect(await ok(restarted.port, 'POST', '/collections/c/points/scroll', { with_payload: true })).toEqual({
    points: [
      { id: 1, payload: { course: 'a', visits: 1 } },
      { id: 3, payload: { course: 'b', visits: 3 } },
    ],
    next_page_offset: null,
  });
});

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'a refused write takes effect after %s, as in the real server',
  async (signal) => {
    const { port } = await start();
    await ok(port, 'PUT', '/collections/c', COLLECTION);
    await ok(port, 'PUT', '/collections/c/points?wait=true', {
      points: [{ id: 10, vector: { dense: [1, 2] }, payload: { good: 1 } }],
    });
    const refused = await call(port, 'PUT', '/collections/c/points?wait=true', {
      points: [{ id: 10, vector: { densee: [1, 2] }, payload: { bad: 1 } }],
    });
    expect(refused).toMatchObject({
      status: 400,
      body: { status: { error: 'Wrong input: Not existing vector name error: densee' } },
    });
    // The dimension is checked before the log, so this one leaves no trace.
    await call(port, 'PUT', '/collections/c/points?wait=true', { points: [{ id: 11, vector: { dense: [1] } }] });
    await ok(port, 'PUT', '/collections/c/points?wait=true', { points: [{ id: 12, vector: { dense: [3, 4] } }] });
    await server?.stop(signal);

    const restarted = await start();
    const query = { with_payload: true, with_vector: true };
    expect(await ok(restarted.port, 'POST', '/collections/c/points/scroll', query)).toMatchObject({
      points: [
        { id: 10, payload: { bad: 1 }, vector: {} },
        { id: 12, vector: { dense: [3, 4] } },
      ],
    });
  },
);

test('numbers of operations go on after a restart', async () => {
  const { port } = await start();
  await ok(port, 'PUT', '/collections/c', COLLECTION);
  await ok(port, 'PUT', '/collections/c/points?wait=true', { points: [{ id: 1, vector: { dense: [1, 2] } }] });
  await server?.stop();

  const restarted = await start();
  const write = { points: [{ id: 2, vector: { dense: [1, 2] } }] };
  expect(await ok(restarted.port, 'PUT', '/collections/c/points?wait=true', write)).toEqual({
    operation_id: 2,
    status: 'completed',
  });
});

test('a second server on the same storage ends with 101', async () => {
  const { port } = await start();
  await ok(port, 'PUT', '/collections/c', COLLECTION);
  const second = await QdrantProcess.spawn(folder?.path ?? '');
  expect(await second.exited).toMatchObject({ code: 101, output: expect.stringContaining("Can't init WAL") });
  await ok(port, 'GET', '/collections/c');
});
