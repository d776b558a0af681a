import { describe, expect, test } from 'vitest';
import { leftoversOf } from '../../src/apps/operator/leftovers.js';
import { judgeExchange, stream } from '../../src/apps/operator/smoke/asked-api.js';
import { ScratchDocument } from '../../src/apps/operator/smoke/scratch.js';
import { RagFailure } from '../../src/rag/failure.js';
import { passagesOf } from '../../src/rag/ingest/ingest.js';
import { type Handler, json, ScriptedServer } from '../support/http-server.js';
import { answering, events, streaming } from '../support/openai-script.js';
import { KEY, RunningRagApi } from '../support/rag-api.js';
import { secretFile } from './support/secret-file.js';
import { failureOf } from './support/verdict.js';

const QUESTION = { message: 'Что такое RAG?', user: 'ragdock-smoke-r1', course: 'demo' };
const soon = () => AbortSignal.timeout(5000);

describe('an answer of the API', () => {
  async function withApi<T>(work: (api: RunningRagApi) => Promise<T>): Promise<T> {
    const api = await RunningRagApi.start();
    try {
      return await work(api);
    } finally {
      await api.stop();
    }
  }
  const ask = (url: string, key = KEY) => stream({ url, keyFile: secretFile(key) }, QUESTION, soon());

  test('is its text, its pieces and its exchange', async () => {
    await withApi(async (api) => {
      api.script = answering('Векторная', ' база');
      const answer = await ask(api.url);
      expect(answer).toMatchObject({ text: 'Векторная база', exchangeId: api.history.only.id });
      expect(answer.chunks).toBeGreaterThan(0);
    });
  });

  test.each([
    ['a model that answers 200 and no token', streaming(events.done())],
    [
      'a model that fails in the middle and says [DONE]',
      streaming(events.text('да'), events.error('dead'), events.done()),
    ],
    ['a model without finish_reason', streaming(events.text('да'), events.done())],
  ])('is none with %s', async (_, script) => {
    await withApi(async (api) => {
      api.script = script;
      expect((await failureOf(ask(api.url))).finding.came).toMatch(/^502 .*LLM_FAILED|pieces, and then: /);
    });
  });

  test('is none with a wrong key', async () => {
    await withApi(async (api) => {
      expect((await failureOf(ask(api.url, 'wrong-key'))).finding.came).toMatch(/^401 .*UNAUTHORIZED/);
    });
  });

  test('is none when it is not kept', async () => {
    await withApi(async (api) => {
      api.history.before = () => {
        throw new RagFailure('history-unavailable', 'refused');
      };
      expect((await failureOf(ask(api.url))).finding.came).toBe('an answer without history');
    });
  });

  test.each<[string, Handler, RegExp]>([
    ['that is empty', (_, response) => void response.writeHead(200, { 'x-exchange-id': 'e' }).end(), /empty answer/],
    [
      'that breaks off',
      (_, response) => {
        response.writeHead(200, { 'x-exchange-id': 'e' });
        response.write('да', () => response.destroy());
      },
      /1 pieces, and then: /,
    ],
    ['of which nobody knows where it is kept', (_, response) => void response.end('да'), /an exchange that is kept/],
    ['that is an error page', (_, response) => json(response, 500, { code: 'INTERNAL' }), /^500 /],
  ])('is none %s', async (_, handler, came) => {
    const server = await ScriptedServer.start(handler);
    try {
      expect((await failureOf(ask(server.url))).finding.came).toMatch(came);
    } finally {
      await server.close();
    }
  });
});

describe('an exchange', () => {
  const streamed = { exchangeId: 'e1', text: 'В понедельник.', chunks: 3 };
  const document = { question: 'Когда?', source: 'ragdock-smoke/r1.md' };
  const good = {
    status: 'complete',
    question: 'Когда?',
    answer: 'В понедельник.',
    refused: false,
    sources: [{ source: 'ragdock-smoke/r1.md', collection: 'BD_curs_data' }],
    completion_tokens: 3,
  };
  const judge = (exchange: typeof good) => judgeExchange(exchange, { streamed, document, collection: 'BD_curs_data' });

  test('that is the one that was asked passes', () => {
    expect(() => judge(good)).not.toThrow();
  });

  test.each([
    ['is not complete', { status: 'running' }, 'status running'],
    ['is of another question', { question: 'Что?' }, 'Что?'],
    ['has another answer', { answer: 'Во вторник.' }, '11 others'],
    ['is a refusal', { refused: true }, 'the refusal for questions without a passage'],
    ['has no source', { sources: [] }, 'no source'],
    [
      'has other sources',
      { sources: [{ source: 'lecture.md', collection: 'BD_curs_data' }] },
      'BD_curs_data/lecture.md',
    ],
    [
      'has the source of another collection',
      { sources: [{ source: 'ragdock-smoke/r1.md', collection: 'BD_chat_question' }] },
      'BD_chat_question/ragdock-smoke/r1.md',
    ],
  ])('that %s fails', async (_, change, came) => {
    const failure = await failureOf((async () => judge({ ...good, ...change }))());
    expect(failure.finding.came).toContain(came);
  });
});

describe('the scratch document', () => {
  const never = async () => {
    throw new Error('nothing is stored');
  };
  const plan = { collection: 'BD_curs_data', course: 'demo' };

  test('has a name and a word of its own', () => {
    const documents = Array.from({ length: 50 }, (_, run) => new ScratchDocument(never, plan, `r${run}`));

    expect(new Set(documents.map(({ marker }) => marker)).size).toBe(50);
    expect(documents[7]?.source).toBe('ragdock-smoke/r7.md');
    expect(documents[7]?.question).toContain(documents[7]?.marker);
    for (const { marker } of documents) expect(marker).toMatch(/^[а-я]{13}$/);
  });

  test('is one passage, so that the question finds all of it', () => {
    const document = new ScratchDocument(never, plan, 'r1');
    const key = { course: 'demo', source: document.source };
    const passages = passagesOf({ path: document.source, content: document.text }, key);

    expect(passages).toHaveLength(1);
    expect(passages[0]?.text).toContain(document.marker);
  });
});

describe('what was left behind', () => {
  const isLeftover = leftoversOf({ run: '20261122t100000z-bbbbbb', liveRuns: ['20261122t095900z-cccccc'] });

  test.each([
    ['an earlier run that was cut off', '20261122t090000z-aaaaaa', true],
    ['an earlier run that is alive', '20261122t095900z-cccccc', false],
    ['this run', '20261122t100000z-bbbbbb', false],
    ['a run that began together with this one', '20261122t095959z-aaaaaa', false],
    ['something that is no run', 'notes-of-a-user', false],
    ['a run that began after the living were counted', '20261122t100001z-aaaaaa', false],
  ])('is that of %s: %s', (_, run, leftover) => {
    expect(isLeftover(run)).toBe(leftover);
  });
});
