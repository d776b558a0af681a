import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AskEvent, ask } from '../../../src/apps/operator/ask.js';
import { RagFailure } from '../../../src/rag/failure.js';
import { closedPort } from '../../support/http-server.js';
import { answering, events, streaming } from '../../support/openai-script.js';
import { KEY, RunningRagApi } from '../../support/rag-api.js';

const QUESTION = { message: 'Что такое RAG?', user_name: 'operator', course: 'demo' };

let api: RunningRagApi;

beforeEach(async () => {
  api = await RunningRagApi.start();
});

afterEach(() => api.stop());

async function collect(access: { url?: string; key?: string } = {}, question = QUESTION): Promise<AskEvent[]> {
  const collected: AskEvent[] = [];
  for await (const event of ask({ url: api.url, key: KEY, ...access }, question)) collected.push(event);
  return collected;
}

describe('ask', () => {
  test('gives the acceptance, the text as it comes, and the sources', async () => {
    api.script = answering('Векторная', ' база');
    const collected = await collect();
    expect(collected[0]).toEqual({ event: 'accepted', exchangeId: api.history.only.id, sources: 1, degraded: [] });
    expect(collected.map((event) => (event.event === 'chunk' ? event.text : '')).join('')).toBe('Векторная база');
    expect(collected.at(-1)).toEqual({
      event: 'done',
      sources: [
        {
          number: 1,
          source: 'lecture.md',
          title: 'Лекция',
          heading: 'Введение',
          score: 1,
          collection: 'BD_curs_data',
          text: 'Векторная база хранит эмбеддинги.',
        },
      ],
    });
  });

  test('goes without the sources when the exchange is not saved', async () => {
    api.history.before = () => {
      throw new RagFailure('history-unavailable', 'refused');
    };
    const collected = await collect();
    expect(collected[0]).toMatchObject({ exchangeId: null, degraded: ['history'] });
    expect(collected.at(-1)).toEqual({ event: 'done', sources: [] });
  });

  test('says when the sources of a complete answer cannot be read', async () => {
    api.history.before = (operation) => {
      if (operation === 'find') throw new RagFailure('history-unavailable', 'refused');
    };
    expect((await collect()).at(-1)).toMatchObject({ event: 'error', status: 503, code: 'HISTORY_UNAVAILABLE' });
  });

  test('tells an answer that broke off from one that ended', async () => {
    api.script = streaming(events.text('Векторная'), events.error('dead'), events.done());
    const collected = await collect();
    expect(collected.map(({ event }) => event)).toEqual(['accepted', 'chunk', 'error']);
    expect(collected.at(-1)).toMatchObject({ status: 200, code: 'ANSWER_TRUNCATED' });
  });

  test('gives the code of the API and the fields that it names', async () => {
    expect(await collect({}, { ...QUESTION, course: 'nope' })).toEqual([
      { event: 'error', status: 422, code: 'INPUT_INVALID', detail: expect.stringContaining('course is not a course') },
    ]);
    expect(await collect({ key: 'wrong' })).toEqual([
      { event: 'error', status: 401, code: 'UNAUTHORIZED', detail: expect.any(String) },
    ]);
  });

  test('says when nobody is there', async () => {
    expect(await collect({ url: `http://127.0.0.1:${await closedPort()}` })).toEqual([
      { event: 'error', status: 0, code: 'API_UNREACHABLE', detail: expect.stringContaining('ECONNREFUSED') },
    ]);
  });
});
