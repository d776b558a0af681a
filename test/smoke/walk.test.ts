import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Board } from '../../src/apps/operator/smoke/board.js';
import { walkDocument, walkPath } from '../../src/apps/operator/smoke/path.js';
import type { CheckResult, PathPlan } from '../../src/apps/operator/smoke/protocol.js';
import { ScratchDocument, type ScratchPlace } from '../../src/apps/operator/smoke/scratch.js';
import { serveMetrics } from '../../src/apps/rag-api/metrics-server.js';
import { startBot } from '../apps/web-bot/harness.js';
import { type Handler, json, ScriptedServer } from '../support/http-server.js';
import { answering, events, openStream } from '../support/openai-script.js';
import { KEY, RunningRagApi, WEB_BOT_KEY } from '../support/rag-api.js';
import { passage } from '../support/rag-parts.js';
import { secretFile } from './support/secret-file.js';

const PLAN: PathPlan & ScratchPlace = {
  needs: ['rag-api'],
  collection: 'BD_curs_data',
  course: 'demo',
  answerSeconds: 10,
};
/** Long enough for the pieces to travel apart, in milliseconds. */
const PACE_MS = 60;

const USER = 'ragdock-smoke-r1';

let api: RunningRagApi;
let metrics: Awaited<ReturnType<typeof serveMetrics>>;
let removed: string[];

beforeEach(async () => {
  api = await RunningRagApi.start();
  api.script = spoken('В поне', 'дельник', ' [1].');
  metrics = await serveMetrics(api.api.metrics.registry, 0, api.api.app.log);
  removed = [];
});

afterEach(async () => {
  metrics.close();
  metrics.closeAllConnections();
  await api.stop();
});

/** Answers at the pace of a model: a piece, and after a while the next one. */
const spoken =
  (...texts: string[]): Handler =>
  async (_, response) => {
    openStream(response);
    for (const piece of [events.role(), ...texts.map(events.text), events.finish(), events.usage(7, texts.length)]) {
      response.write(piece);
      await delay(PACE_MS);
    }
    response.end(events.done());
  };

/** A document whose passage the retrieval of the API knows while it is there. */
class KnownDocument extends ScratchDocument {
  constructor() {
    super(() => Promise.reject(new Error('nothing is stored')), PLAN, 'r1');
  }
  override async ingest(): Promise<void> {
    api.retrieval.results = [
      { collection: 'BD_curs_data', passages: [passage({ source: this.source, text: this.text })] },
    ];
  }
  override async remove(): Promise<void> {
    removed.push(this.source);
  }
}

const metricsUrl = () => `http://127.0.0.1:${(metrics.address() as { port: number }).port}`;

async function walk(changes: { metricsUrl?: string; question?: string } = {}): Promise<readonly string[]> {
  const results: CheckResult[] = [];
  const { url } = await startBot({}, { apiUrl: api.url, key: { current: () => WEB_BOT_KEY, refresh: async () => '' } });
  const { question } = changes;
  await walkDocument(
    {
      ...(question === undefined ? { knowledge: { id: 'qdrant', needs: [] } } : {}),
      api: { id: 'rag-api', needs: [], url: api.url, keyFile: secretFile(KEY), metricsUrl: metricsUrl(), ...changes },
      bot: { kind: 'web-bot', id: 'web-bot', needs: [], url },
      document: question === undefined ? new KnownDocument() : { question },
      user: USER,
    },
    PLAN,
    {
      board: new Board(),
      report: (event) => {
        if (event.event === 'check') results.push(event.result);
      },
      signal: AbortSignal.timeout(30_000),
      begun: new Set(),
    },
    Promise.resolve(),
  );
  return results.map(({ check, outcome, came = '' }) => `${check}: ${outcome}${came === '' ? '' : `: ${came}`}`);
}

test('a document is taken, asked about in both ways, saved, counted, and given back with all that was asked', async () => {
  await api.ask();
  expect((await walk()).toSorted()).toEqual([
    'answers in the chat: passed',
    'counts the answer: passed',
    'forgets the questions: passed',
    'gives the document back: passed',
    'keeps the exchange with its source: passed',
    'streams an answer: passed',
    'takes a document: passed',
  ]);
  expect(removed).toEqual(['ragdock-smoke/r1.md']);
  // What somebody else asked is still there.
  expect([...api.history.exchanges.values()].map(({ userName }) => userName)).toEqual(['Иван']);
});

test('a question about what is there takes the place of a document', async () => {
  expect((await walk({ question: 'Что такое RAG?' })).map((line) => line.split(':')[1])).toEqual(
    Array.from({ length: 5 }, () => ' passed'),
  );
  expect(api.history.exchanges.size).toBe(0);
});

test.each([
  ['where its vectors are part of it', { model: 'owner/model', dimension: 3 }, ['embeddings']],
  ['not where it needs none', undefined, undefined],
])(
  'a document that is not taken is blamed on an embedding server that fails, %s',
  async (_, embedding, because) => {
    // Not 500, which clients ask again after.
    const failing = await ScriptedServer.start((_, response) => json(response, 400, {}));
    onTestFinished(() => failing.close());
    const keyFile = secretFile(KEY);
    const common = { needs: [], url: failing.url, keyFile };
    const results: CheckResult[] = [];
    const board = new Board();
    board.fail('embeddings', '500');
    await walkPath(
      {
        run: 'r1',
        timeoutSeconds: 30,
        level: 'path',
        targets: [
          {
            ...common,
            kind: 'qdrant',
            id: 'qdrant',
            collections: [{ name: PLAN.collection, language: 'russian', ...(embedding ? { embedding } : {}) }],
          },
          { ...common, kind: 'embeddings', id: 'embeddings', model: 'owner/model', dimension: 3 },
          { ...common, kind: 'rag-api', id: 'rag-api' },
        ],
        failed: [],
        path: PLAN,
      },
      {
        board,
        report: (event) => void (event.event === 'check' && results.push(event.result)),
        signal: AbortSignal.timeout(20_000),
        begun: new Set(),
      },
      Promise.resolve(),
    );
    const taking = results.find(({ check }) => check === 'takes a document');
    expect(taking?.outcome).toBe('failed');
    expect(taking?.because).toEqual(because);
  },
  60_000,
);

describe('fails', () => {
  const line = (lines: readonly string[], check: string) => lines.find((it) => it.startsWith(check));

  test('with an answer in one piece, and forgets it', async () => {
    api.script = answering('В понедельник, среду и пятницу.');
    const lines = await walk();
    // A model may have had one token to say: it is asked again, and then that is a failure.
    expect(api.model.requests.filter(({ method }) => method === 'POST')).toHaveLength(3);
    expect(line(lines, 'streams an answer')).toMatch(/failed: 1 piece with 1 tokens/);
    expect(line(lines, 'answers in the chat')).toBe("answers in the chat: skipped: 'streams an answer' failed");
    expect(line(lines, 'gives the document back')).toContain('passed');
    expect(api.history.exchanges.size).toBe(0);
  });

  test('with an API that does not count', async () => {
    metrics.removeAllListeners('request');
    metrics.on('request', (_, response) => response.end('rag_requests_total{course="demo",outcome="answered"} 5\n'));
    expect(line(await walk(), 'counts the answer')).toBe('counts the answer: failed: 5');
  }, 30_000);

  test('with a history that cannot forget', async () => {
    api.history.before = (operation) => {
      if (operation === 'forget') throw new Error('permission denied');
    };
    expect(line(await walk(), 'forgets the questions')).toMatch(/failed: 500 /);
  });

  test('with another source than the document', async () => {
    const lines = await walk({ question: 'Что такое RAG?' });
    expect(line(lines, 'keeps the exchange')).toContain('passed');
    api.retrieval.results = [{ collection: 'BD_curs_data', passages: [] }];
    expect(line(await walk({ question: 'Что такое RAG?' }), 'streams an answer')).toContain('failed');
  });
});
