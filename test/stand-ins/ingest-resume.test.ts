import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { SourceDocument } from '../../src/rag/ingest/ingest.js';
import { ensureCollection } from '../../src/rag/retrieval/qdrant-collection.js';
import { QdrantHttp } from '../../src/rag/retrieval/qdrant-http.js';
import { ROOT } from '../support/environments.js';
import { ScriptedServer } from '../support/http-server.js';
import { RotatingCredential } from '../support/rag-parts.js';
import { QdrantProcess, storageFolder } from './qdrant/harness/server.js';

const KEY = 'a-key-of-the-test';

let folder: Awaited<ReturnType<typeof storageFolder>>;
let qdrant: QdrantProcess;
let http: QdrantHttp;
let door: ScriptedServer;
let keyFile: string;
let onWrite: (operation: string, collection: string) => void;
let running: ChildProcess | undefined;

beforeAll(async () => {
  folder = await storageFolder();
  qdrant = await QdrantProcess.start(folder.path, { QDRANT__SERVICE__API_KEY: KEY });
  http = new QdrantHttp(`http://127.0.0.1:${qdrant.port}`, new RotatingCredential(KEY));
  keyFile = join(folder.path, 'key');
  writeFileSync(`${keyFile}.v1`, KEY);
  // What goes through it is seen before Qdrant sees it.
  door = await ScriptedServer.start(async ({ method, path, headers, body }, response) => {
    const [, , collection = '', , operation = 'upsert'] = path.split('?')[0]?.split('/') ?? [];
    const isWrite = path.includes('wait=true');
    if (isWrite) onWrite(operation, collection);
    const answer = await request(`http://127.0.0.1:${qdrant.port}${path}`, {
      method: method as 'GET',
      headers: { 'api-key': String(headers['api-key']), 'content-type': 'application/json' },
      ...(method === 'GET' ? {} : { body }),
    });
    response.statusCode = answer.statusCode;
    response.end(await answer.body.text());
  });
});

afterAll(async () => {
  await http.close();
  await door.close();
  await qdrant.stop('SIGKILL');
  await folder.remove();
});

beforeEach(() => {
  onWrite = () => undefined;
});

afterEach(() => {
  running?.kill('SIGKILL');
});

const paragraph = (word: string) => `${`Предложение про ${word}. `.repeat(50)}\n\n`;
const course = (name: string, words: number, changed = '') =>
  `# ${name}\n\n${Array.from({ length: words }, (_, index) => paragraph(`${name} ${index}`)).join('')}${changed}`;
const pairs = (...answers: readonly string[]): SourceDocument => {
  const children = answers.map((answer, index) => ({
    heading: `Вопрос ${index}?`,
    headingLine: '',
    blocks: [answer],
    children: [],
  }));
  return {
    path: 'faq.jsonl',
    parsed: { title: 'faq', root: { heading: '', headingLine: '', blocks: [], children }, apart: true },
  };
};

/** Two editions of a library: one document changes, one grows, one stays, one is new. */
const FIRST: readonly SourceDocument[] = [
  { path: 'a.md', content: course('Гномон', 20) },
  { path: 'b.md', content: course('Тень', 8) },
  pairs('Ответ.', 'Другой ответ.', 'Третий.'),
];
const SECOND: readonly SourceDocument[] = [
  { path: 'a.md', content: course('Гномон', 60, 'Исправлено.') },
  { path: 'b.md', content: course('Тень', 8) },
  { path: 'c.md', content: course('Циферблат', 90) },
  pairs('Ответ.', 'Исправленный ответ.', 'Третий.', 'Четвёртый.'),
];

/** One ingestion in a process of its own; gives its exit code or signal, and what became of each document. */
async function ingest(collection: string, documents: readonly SourceDocument[]) {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'src/apps/main.ts', 'operator-ingest', '--collection', collection, '--course', 'demo'],
    {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? '', QDRANT_URL: door.url, QDRANT_API_KEY_FILE: keyFile },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  running = child;
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data;
  });
  child.stderr.on('data', (data: Buffer) => {
    output += data;
  });
  // A process that was killed reads nothing more.
  child.stdin.on('error', () => undefined);
  child.stdin.end(documents.map((document) => `${JSON.stringify(document)}\n`).join(''));
  const [code, signal] = await once(child, 'close');
  const statuses = [...output.matchAll(/"path":"([^"]+)","chunks":\d+,"status":"([a-z]+)"/g)];
  return {
    end: signal ?? code,
    output,
    statuses: Object.fromEntries(statuses.map(([, path, status]) => [path, status])),
  };
}

/** Everything in a collection, by id. */
async function contentOf(collection: string): Promise<ReadonlyMap<string, unknown>> {
  const { points } = await http.call<{ points: readonly { id: string }[] }>({
    method: 'POST',
    path: `/collections/${collection}/points/scroll`,
    body: { limit: 1000, with_payload: true, with_vector: true },
    timeoutMs: 20_000,
    idempotent: true,
  });
  return new Map(points.map((point) => [point.id, point]));
}

test.each([
  ['upsert', 3],
  ['upsert', 5],
  ['payload', 1],
  ['delete', 1],
  ['delete', 2],
] as const)('killed at its %s number %i, an ingestion goes on where it was', async (operation, number) => {
  const [cut, whole] = [`cut-${operation}-${number}`, `whole-${operation}-${number}`];
  for (const collection of [cut, whole]) {
    await ensureCollection(http, collection, { language: 'russian' });
    expect(await ingest(collection, FIRST)).toMatchObject({ end: 0 });
  }
  expect(await ingest(whole, SECOND)).toMatchObject({ end: 0 });

  let seen = 0;
  onWrite = (written) => {
    if (written === operation) seen += 1;
    if (seen === number) running?.kill('SIGKILL');
  };
  expect(await ingest(cut, SECOND)).toMatchObject({ end: 'SIGKILL' });
  const half = await contentOf(cut);
  expect(half).not.toEqual(await contentOf(whole));

  const upserts: string[] = [];
  onWrite = (written) => void upserts.push(written);
  const second = await ingest(cut, SECOND);
  expect(second.end, second.output).toBe(0);
  expect(second.statuses['b.md']).toBe('unchanged');
  const content = await contentOf(cut);
  expect(content).toEqual(await contentOf(whole));
  // Nothing that was there already was sent again.
  const missing = [...content.keys()].filter((id) => !half.has(id)).length;
  if (missing === 0) expect(upserts).not.toContain('upsert');

  upserts.length = 0;
  const third = await ingest(cut, SECOND);
  expect(Object.values(third.statuses)).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged']);
  expect(upserts).toEqual([]);
});
