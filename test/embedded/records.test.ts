import OpenAI from 'openai';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EmbeddedHistory } from '../../src/embedded/history.js';
import { sharedDatabase } from '../support/database.js';
import { RunningRagApi } from '../support/rag-api.js';

const shared = sharedDatabase();
let api: RunningRagApi;

beforeEach(async () => {
  api = await RunningRagApi.start({}, { history: new EmbeddedHistory(shared.current), apiKeys: 'open' });
});

afterEach(() => api.stop());

test('feedback, history and erasure are there without a key, and so is the protocol of OpenAI', async () => {
  const client = new OpenAI({ apiKey: 'none', baseURL: `${api.url}/v1`, maxRetries: 0 });
  const { response } = await client.chat.completions
    .create({ model: 'demo', user: 'Анна', messages: [{ role: 'user', content: 'Что такое RAG?' }] })
    .withResponse();
  const id = response.headers.get('x-exchange-id');
  expect(
    (await api.send('POST', `/exchanges/${id}/feedback`, { value: 'negative', comment: ' мало ' }, {})).status,
  ).toBe(204);
  const history = await api.send('GET', `/history?user_name=${encodeURIComponent('Анна')}`, undefined, {});
  expect(await history.json()).toEqual({
    exchanges: [
      expect.objectContaining({
        id,
        question: 'Что такое RAG?',
        answer: 'Да',
        status: 'complete',
        sources: [expect.objectContaining({ collection: 'BD_curs_data', score: 1, text: expect.any(String) })],
        feedback: { value: 'negative', comment: 'мало', given_at: expect.any(String) },
      }),
    ],
    next: null,
  });
  const forget = () => api.send('DELETE', `/users/${encodeURIComponent('Анна')}`, undefined, {});
  expect(await (await forget()).json()).toEqual({ exchanges: 1 });
  expect(await (await forget()).json()).toEqual({ exchanges: 0 });
  expect((await api.send('GET', `/exchanges/${id}`, undefined, {})).status).toBe(404);
});
