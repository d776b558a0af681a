import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CheckResult, SmokeEvent, SmokePlan } from '../../src/apps/operator/smoke/protocol.js';
import type { PostgresHistory } from '../../src/rag/history/postgres.js';
import { ingest } from '../../src/rag/ingest/ingest.js';
import { QdrantRetrieval } from '../../src/rag/retrieval/qdrant.js';
import { ensureCollection } from '../../src/rag/retrieval/qdrant-collection.js';
import { QdrantHttp } from '../../src/rag/retrieval/qdrant-http.js';
import { QdrantPassageStore } from '../../src/rag/retrieval/qdrant-store.js';
import { sharedPostgres } from '../apps/agent-exporter/support.js';
import { ROOT } from '../support/environments.js';
import { type Handler, json } from '../support/http-server.js';
import { events, openStream, stalling } from '../support/openai-script.js';
import { HAS_POSTGRES } from '../support/postgres-server.js';
import { KEY, RunningRagApi } from '../support/rag-api.js';
import { until } from '../support/until.js';
import { QdrantProcess, storageFolder } from './qdrant/harness/server.js';

// The inside of a session of smoke tests as a process of its own, with Qdrant's engine, PostgreSQL and the RAG API.

const COLLECTION = 'BD_curs_data';
const QDRANT_KEY = 'the-key';
const LONG_MS = 120_000;

/** Long enough for the pieces of an answer to travel apart, in milliseconds. */
const PACE_MS = 60;

const credential = { current: () => QDRANT_KEY, refresh: async () => QDRANT_KEY };

const spoken: Handler = async ({ method }, response) => {
  if (method === 'GET') return json(response, 200, { data: [{ id: 'saiga' }] });
  openStream(response);
  for (const piece of [events.text('В поне'), events.text('дельник [1].'), events.finish(), events.usage(7, 2)]) {
    response.write(piece);
    await delay(PACE_MS);
  }
  response.end(events.done());
};

describe.runIf(HAS_POSTGRES)('smoke tests', () => {
  const postgres = sharedPostgres();
  let storage: Awaited<ReturnType<typeof storageFolder>>;
  let qdrant: QdrantProcess;
  let http: QdrantHttp;
  let url: string;
  let history: PostgresHistory;
  let retrieval: QdrantRetrieval;
  let api: RunningRagApi;

  beforeAll(async () => {
    storage = await storageFolder();
    qdrant = await QdrantProcess.start(storage.path, { QDRANT__SERVICE__API_KEY: QDRANT_KEY });
    url = `http://127.0.0.1:${qdrant.port}`;
    http = new QdrantHttp(url, credential);
    const { folder } = postgres.current;
    writeFileSync(join(folder, 'qdrant-key.v1'), QDRANT_KEY);
    writeFileSync(join(folder, 'rag-api-key.v1'), KEY);
    await ensureCollection(http, COLLECTION, { language: 'russian', embedding: undefined });
    await bringIn('lecture.md', '# Осмос\n\nОсмос – движение растворителя через мембрану клетки.');
    history = postgres.current.history();
    retrieval = new QdrantRetrieval(url, credential, [{ name: COLLECTION, language: 'russian', limit: 3 }]);
    api = await RunningRagApi.start({}, { history, retrieval });
  }, LONG_MS);

  beforeEach(() => {
    api.script = spoken;
  });

  afterAll(async () => {
    await api.stop();
    await Promise.all([history.close(), http.close(), qdrant.stop()]);
    await storage.remove();
  });

  async function bringIn(path: string, content: string): Promise<void> {
    const store = await QdrantPassageStore.open(url, credential, COLLECTION, undefined);
    for await (const { error } of ingest([{ path, content }], store, 'demo')) expect(error).toBeUndefined();
    await store.close();
  }

  const call = <T>(method: 'GET' | 'POST', path: string, body?: object) =>
    http.call<T>({ method, path, ...(body ? { body } : {}), timeoutMs: 20_000, idempotent: true });

  async function rows(statement: string): Promise<readonly Record<string, unknown>[]> {
    const client = await postgres.current.server.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  }

  /** Everything that is kept: collections, passages, exchanges. */
  async function kept() {
    const { collections } = await call<{ collections: readonly { name: string }[] }>('GET', '/collections');
    const { points } = await call<{ points: readonly { payload: { source: string } }[] }>(
      'POST',
      `/collections/${COLLECTION}/points/scroll`,
      { limit: 1000, with_payload: true },
    );
    return {
      collections: collections.map(({ name }) => name).sort(),
      sources: points.map(({ payload }) => payload.source).sort(),
      users: (await rows('SELECT user_name FROM rag.exchanges ORDER BY 1')).map((row) => row.user_name),
    };
  }

  function plan(run: string): SmokePlan {
    const { folder } = postgres.current;
    return {
      run,
      liveRuns: [],
      timeoutSeconds: 60,
      level: 'path',
      targets: [
        {
          kind: 'qdrant',
          id: 'qdrant',
          needs: [],
          url,
          keyFile: join(folder, 'qdrant-key'),
          collections: [{ name: COLLECTION, language: 'russian' }],
        },
        {
          kind: 'postgres',
          id: 'postgres',
          needs: [],
          url: postgres.current.server.url('rag_api'),
          passwordFile: postgres.current.passwordFile('rag_api'),
          settings: {},
        },
        { kind: 'rag-api', id: 'rag-api', needs: [], url: api.url, keyFile: join(folder, 'rag-api-key') },
      ],
      failed: [],
      path: {
        needs: ['qdrant', 'postgres', 'rag-api'],
        collection: COLLECTION,
        course: 'demo',
        answerSeconds: 20,
      },
    };
  }

  /** One session: what it said so far, and its two ends. */
  class Session {
    readonly results: CheckResult[] = [];
    readonly child: ChildProcessWithoutNullStreams;
    readonly ended: Promise<unknown>;
    done = false;
    #rest = '';

    constructor(run: string) {
      this.child = spawn(process.execPath, ['--import', 'tsx', 'src/apps/main.ts', 'operator-smoke'], { cwd: ROOT });
      this.child.stdin.on('error', () => undefined);
      this.child.stdin.write(`${JSON.stringify(plan(run))}\n`);
      this.child.stdout.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
      this.ended = once(this.child, 'close');
    }

    /** To its end, as the command line does it. */
    static async whole(run: string): Promise<Session> {
      const session = new Session(run);
      await until('it is done', () => session.done, LONG_MS);
      session.child.stdin.end();
      await session.ended;
      return session;
    }

    get failed(): readonly string[] {
      return this.results
        .filter(({ outcome }) => outcome !== 'passed')
        .map((it) => `${it.service}: ${it.check}: ${it.came}`);
    }

    #hear(text: string): void {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const event of lines.map((line) => JSON.parse(line) as SmokeEvent)) {
        if (event.event === 'check') this.results.push(event.result);
        if (event.event === 'done') this.done = true;
      }
    }
  }

  /** A session that is in the middle of the path: its document is there, and the model says nothing. */
  async function inTheMiddle(run: string): Promise<Session> {
    const asked = api.model.requests.length;
    const stall = stalling(events.text('В поне'));
    api.script = (request, response) => (request.method === 'GET' ? spoken : stall)(request, response);
    const session = new Session(run);
    await until(
      'the model is asked',
      () => api.model.requests.slice(asked).some(({ method }) => method === 'POST'),
      LONG_MS,
    );
    const now = await kept();
    expect(now.sources).toContain(`ragdock-smoke/${run}.md`);
    expect(now.users).toContain(`ragdock-smoke-${run}`);
    return session;
  }

  test(
    'pass, and leave everything as it was',
    async () => {
      const before = await kept();
      const { failed, results } = await Session.whole('20261122t080000z-aaaaaa');

      expect(failed).toEqual([]);
      expect(results.map(({ check }) => check)).toContain('gives the document back');
      expect(await kept()).toEqual(before);
    },
    LONG_MS,
  );

  test(
    'whose command line is killed clean up behind themselves',
    async () => {
      const before = await kept();
      const session = await inTheMiddle('20261122t083000z-bbbbbb');
      // What the engine does when whoever held the other end is gone.
      session.child.stdin.end();
      await session.ended;
      expect(await kept()).toEqual(before);
    },
    LONG_MS,
  );

  test(
    'that are killed themselves leave what the next ones remove',
    async () => {
      const before = await kept();
      const run = '20261122t090000z-cccccc';
      const session = await inTheMiddle(run);
      session.child.kill('SIGKILL');
      await session.ended;
      await until(
        'the API knows that its reader is gone',
        async () =>
          (await rows(`SELECT 1 FROM rag.exchanges WHERE user_name LIKE '%${run}' AND status = 'aborted'`)).length > 0,
        LONG_MS,
      );
      api.script = spoken;
      const { failed } = await Session.whole('20261122t100000z-dddddd');

      expect(failed).toEqual([]);
      expect(await kept()).toEqual(before);
    },
    LONG_MS,
  );

  test(
    'see that a collection was emptied that answers rest on',
    async () => {
      const answer = await api.ask({ message: 'Что такое осмос?' });
      await answer.text();
      await call('POST', `/collections/${COLLECTION}/points/delete?wait=true`, { filter: {} });
      const { failed } = await Session.whole('20261122t110000z-eeeeee');

      expect(failed).toEqual([
        `qdrant: holds what answers rest on: ${COLLECTION} is empty, and answers rest on its lecture.md`,
      ]);
      await bringIn('lecture.md', '# Осмос\n\nОсмос – движение растворителя через мембрану клетки.');
      expect((await Session.whole('20261122t120000z-ffffff')).failed).toEqual([]);
    },
    LONG_MS,
  );
});
