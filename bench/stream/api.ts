import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApp } from '../../src/apps/rag-api/app.js';
import { loggerOptions } from '../../src/apps/rag-api/logger.js';
import { Database } from '../../src/embedded/database.js';
import { EmbeddedHistory } from '../../src/embedded/history.js';
import { PostgresHistory } from '../../src/rag/history/postgres.js';
import { passagesOf } from '../../src/rag/ingest/ingest.js';
import { OpenAiLlm } from '../../src/rag/llm/openai.js';
import { searchedText } from '../../src/rag/origin.js';
import type { History, Retrieval, StoredPassage } from '../../src/rag/ports.js';
import { Bm25Index } from '../../src/rag/retrieval/bm25-index.js';
import { ragApiSettings } from '../../test/support/rag-api.js';
import { serveUsage } from './protocol.js';

// The RAG API as it is deployed, but for its search, which is the one of `ragdock up`, in memory. The arguments are the
// address of the model, the key that clients present, the folder of a course, and where PostgreSQL is, if there is one.

const [modelUrl = '', key = '', course = '', postgresUrl, password = ''] = process.argv.slice(2);
const COLLECTIONS = ['BD_curs_data', 'BD_chat_question', 'BD_organization_question'] as const;

const settings = ragApiSettings({
  limits: {
    concurrentStreams: 2000,
    streamsPerKey: 2000,
    streamsPerAddress: 2000,
    questionsPerMinute: 10_000_000,
    connections: 5000,
    connectionsPerAddress: 5000,
    totalSeconds: 120,
  },
});
const llm = new OpenAiLlm({
  url: modelUrl,
  model: 'bench',
  sampling: settings.llm.sampling,
  firstTokenMs: 30_000,
  idleMs: 30_000,
});
const { app } = buildApp({
  settings,
  retrieval: demoRetrieval(),
  history: await history(),
  llm,
  apiKeys: { api: async () => [key] },
  // As in its container, but into nothing: a log on a terminal or a disk would be measured with it.
  logger: { ...(loggerOptions('info') as object), stream: { write: () => undefined } },
});
await app.listen({ port: 0, host: '127.0.0.1' });
serveUsage();
process.send?.((app.server.address() as AddressInfo).port);

async function history(): Promise<History> {
  if (postgresUrl !== undefined) {
    const login = { user: new URL(postgresUrl).username, password };
    return new PostgresHistory({ url: postgresUrl, logins: async () => [login] });
  }
  const folder = mkdtempSync(join(tmpdir(), 'ragdock-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const database = await Database.create(join(folder, 'database'));
  await database.migrate();
  return new EmbeddedHistory(database);
}

/** Three collections with the same demo course. */
function demoRetrieval(): Retrieval {
  const index = new Bm25Index();
  const passages = new Map<string, StoredPassage>();
  for (const name of readdirSync(course).filter((file) => file.endsWith('.md'))) {
    const document = { path: name, content: readFileSync(join(course, name), 'utf8') };
    for (const passage of passagesOf(document, { course: 'demo', source: name })) {
      passages.set(passage.id, passage);
      index.put({ id: passage.id, group: 'demo', text: searchedText(passage) });
    }
  }
  return {
    search: async (query, asked) => ({
      collections: COLLECTIONS.map((collection) => ({
        collection,
        passages: index.search(query, asked, 3).flatMap(({ id, score }) => {
          const passage = passages.get(id);
          return passage ? [{ ...passage, collection, score }] : [];
        }),
      })),
    }),
    check: async () => undefined,
    close: async () => undefined,
  };
}
