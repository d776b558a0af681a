import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RagFailure } from '../../../src/rag/failure.js';
import { hashOf } from '../../../src/rag/ingest/identity.js';
import { type LearnedPassage, type LearnedPassages, Unlearnable } from '../../../src/rag/learn.js';
import { events, streaming } from '../../support/openai-script.js';
import { RunningRagApi } from '../../support/rag-api.js';
import { until } from '../../support/until.js';

/** The collection of learned passages, in memory. */
class MemoryLearned implements LearnedPassages {
  readonly learns = true;
  readonly passages = new Map<string, LearnedPassage>();
  failure: Error | undefined;

  async put(passage: LearnedPassage): Promise<void> {
    if (this.failure) throw this.failure;
    this.passages.set(passage.id, passage);
  }

  async remove(exchangeId: string): Promise<void> {
    if (this.failure) throw this.failure;
    this.passages.delete(exchangeId);
  }

  async removeUser(userName: string): Promise<void> {
    if (this.failure) throw this.failure;
    for (const { id, userName: whose } of [...this.passages.values()]) if (whose === userName) this.passages.delete(id);
  }

  async close(): Promise<void> {}
}

let api: RunningRagApi;
let learned: MemoryLearned;

beforeEach(async () => {
  learned = new MemoryLearned();
  api = await RunningRagApi.start({}, { learned });
});

afterEach(() => api.stop());

async function asked(body: object = {}): Promise<string> {
  const response = await api.ask(body);
  await response.text();
  return response.headers.get('x-exchange-id') ?? '';
}

const rate = (id: string, body: unknown) => api.send('POST', `/exchanges/${id}/feedback`, body);
const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

describe('POST /exchanges/:id/feedback', () => {
  test('is kept with the exchange; the last word counts', async () => {
    const id = await asked();
    expect((await rate(id, { value: 'positive', comment: 'спасибо' })).status).toBe(204);
    expect((await rate(id, { value: 'negative' })).status).toBe(204);
    const exchange = (await (await api.get(`/exchanges/${id}`)).json()) as { feedback: object };
    expect(exchange.feedback).toEqual({ value: 'negative', comment: null, given_at: expect.any(String) });
    expect(await api.metric('rag_feedback_total')).toEqual([
      'rag_feedback_total{value="positive"} 1',
      'rag_feedback_total{value="negative"} 1',
    ]);
    expect(api.log.join()).not.toContain('спасибо');
  });

  test.each([randomUUID(), 'nothing'])('of an exchange that is not there gets 404: %s', async (id) => {
    const response = await rate(id, { value: 'positive' });
    expect(response.status).toBe(404);
    expect(await codeOf(response)).toBe('EXCHANGE_NOT_FOUND');
  });

  test('tells everything that is wrong at once', async () => {
    const response = await rate(await asked(), { value: 'up', comment: 'я'.repeat(1001) });
    expect(response.status).toBe(422);
    const { errors } = (await response.json()) as { errors: { field: string }[] };
    expect(errors.map(({ field }) => field)).toEqual(['value', 'comment']);
  });

  test('while the history is down gets 503, and counts nothing', async () => {
    const id = await asked();
    api.history.before = () => {
      throw new RagFailure('history-unavailable', 'refused');
    };
    const response = await rate(id, { value: 'positive' });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('10');
    expect(await api.metric('rag_feedback_total{value="positive"}')).toEqual([
      'rag_feedback_total{value="positive"} 0',
    ]);
  });
});

describe('what is learned', () => {
  test('is an exchange that the user was content with, until they are not', async () => {
    const id = await asked();
    await rate(id, { value: 'positive' });
    await until('it is learned', () => learned.passages.has(id));
    expect(learned.passages.get(id)).toMatchObject({
      id,
      text: 'Что такое RAG?\n\nДа',
      title: 'Что такое RAG?',
      source: `history/${id}`,
      course: 'demo',
      userName: 'Иван',
    });
    await rate(id, { value: 'negative' });
    await until('it is taken back', () => !learned.passages.has(id));
  });

  test('is without the citations of its answer, and is the same for it', async () => {
    const id = await asked();
    const exchange = api.history.exchanges.get(id);
    const answer = 'Поиск [1], на [0, 1] a[2] слово[1].';
    if (exchange) api.history.exchanges.set(id, { ...exchange, answer });
    await rate(id, { value: 'positive' });
    await until('it is learned', () => learned.passages.has(id));
    expect(learned.passages.get(id)).toMatchObject({
      text: 'Что такое RAG?\n\nПоиск, на [0, 1] a[2] слово.',
      contentHash: hashOf('Что такое RAG?', answer),
    });
    expect(api.history.only.answer).toBe(answer);
  });

  test('is one that was praised while its answer still came, once that has ended', async () => {
    let goOn = (): void => undefined;
    const more = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    api.script = streaming(events.text('Да'), more, events.text(', да'), events.finish(), events.done());
    const response = await api.ask();
    const id = response.headers.get('x-exchange-id') ?? '';
    // More of them than are looked at in one step, all older: they keep nothing back that has ended.
    const running = api.history.only;
    const ids = Array.from({ length: 60 }, () => randomUUID());
    for (const one of ids) api.history.exchanges.set(one, { ...running, id: one });
    for (const one of ids) await api.history.rate(one, 'positive', undefined);
    expect((await rate(id, { value: 'positive' })).status).toBe(204);
    await api.api.followFeedback();
    expect(learned.passages.size).toBe(0);
    goOn();
    expect(await response.text()).toBe('Да, да');
    await api.api.followFeedback();
    expect([...learned.passages.keys()]).toEqual([id]);
  });

  test.each([
    ['a refusal', { refused: true }],
    ['one that broke off', { status: 'aborted' }],
    ['one without a source', { sources: [] }],
    ['one that was given without a component', { degraded: ['embeddings'] }],
    ['one that was cut off', { finishReason: 'length' }],
  ] as const)('is not %s', async (_what, change) => {
    const [id, other] = [await asked(), await asked()];
    const exchange = api.history.exchanges.get(id);
    if (exchange) api.history.exchanges.set(id, { ...exchange, ...change });
    await rate(id, { value: 'positive' });
    await rate(other, { value: 'positive' });
    await until('the other one is learned', () => learned.passages.has(other));
    await until('all is followed', async () => (await api.history.toFollow(10)).length === 0);
    expect([...learned.passages.keys()]).toEqual([other]);
  });

  test('waits where the collection is down, and follows the last word then', async () => {
    const [kept, dropped] = [await asked(), await asked()];
    learned.failure = new Error('refused');
    await rate(kept, { value: 'positive' });
    await rate(dropped, { value: 'positive' });
    await rate(dropped, { value: 'negative' });
    await until('it is told', () => api.log.some((line) => line.includes('feedback waits to be followed')));
    learned.failure = undefined;
    await api.api.followFeedback();
    expect([...learned.passages.keys()]).toEqual([kept]);
  });

  test('is no exchange that the collection refuses for good, which holds nothing back', async () => {
    const [refused, other] = [await asked({ message: 'Длинный вопрос?' }), await asked()];
    const put = learned.put.bind(learned);
    learned.put = async (passage) => {
      if (passage.id === refused) throw new Unlearnable('too long');
      await put(passage);
    };
    await rate(refused, { value: 'positive' });
    await rate(other, { value: 'positive' });
    await api.api.followFeedback();
    expect([...learned.passages.keys()]).toEqual([other]);
    expect(await api.history.toFollow(10)).toEqual([]);
    expect(api.log.filter((line) => line.includes('exchange cannot be learned'))).toHaveLength(1);
  });

  test('is followed past praise that waits, fifty of it or more, and is taken back first', async () => {
    const taken = await asked();
    await rate(taken, { value: 'positive' });
    await until('it is learned', () => learned.passages.has(taken));
    const { only } = api.history;
    const ids = Array.from({ length: 60 }, () => randomUUID());
    for (const id of ids) api.history.exchanges.set(id, { ...only, id });
    const last = ids.at(-1) ?? '';
    const put = learned.put.bind(learned);
    const tried: string[] = [];
    learned.put = async (passage) => {
      tried.push(passage.id);
      // The server takes one of them now, and the others later.
      if (passage.id !== last && passage.id !== ids[30]) throw new Error('the server is busy');
      await put(passage);
    };
    for (const id of ids) await api.history.rate(id, 'positive', undefined);
    await api.history.rate(taken, 'negative', undefined);
    await api.api.followFeedback();
    expect([...learned.passages.keys()].sort()).toEqual([ids[30], last].sort());
    expect(new Set(tried).size).toBe(tried.length);
    expect(await api.history.toFollow(100)).toHaveLength(58);
  });

  test('is nothing of a user who was forgotten while it was written', async () => {
    const id = await asked();
    const put = learned.put.bind(learned);
    learned.put = async (passage) => {
      await api.history.forget('Иван');
      await put(passage);
    };
    await rate(id, { value: 'positive' });
    await api.api.followFeedback();
    expect(learned.passages.size).toBe(0);
  });
});

describe('GET /history', () => {
  const read = async (query: string) => {
    const response = await api.get(`/history?${query}`);
    expect(response.status).toBe(200);
    return (await response.json()) as { exchanges: { id: string; course: string }[]; next: string | null };
  };
  const user = `user_name=${encodeURIComponent('Иван')}`;

  test('gives the exchanges of a user in pages, the newest first', async () => {
    const ids: string[] = [];
    for (let number = 0; number < 5; number += 1) ids.unshift(await asked({ message: `вопрос ${number}` }));
    await asked({ user_name: 'Пётр' });
    const first = await read(`${user}&limit=2`);
    const second = await read(`${user}&limit=2&before=${first.next}`);
    const third = await read(`${user}&limit=2&before=${second.next}`);
    expect([first, second, third].flatMap(({ exchanges }) => exchanges.map(({ id }) => id))).toEqual(ids);
    expect(third.next).toBeNull();
  });

  test('gives those of one course', async () => {
    await asked();
    const id = await asked({ course: 'Машинное обучение' });
    const { exchanges } = await read(`${user}&course=${encodeURIComponent('Машинное обучение')}`);
    expect(exchanges.map((one) => one.id)).toEqual([id]);
  });

  test('tells everything that is wrong at once', async () => {
    const response = await api.get('/history?user_name=a%0Ab&course=nothing&limit=0&before=x');
    expect(response.status).toBe(422);
    const { errors } = (await response.json()) as { errors: { field: string }[] };
    expect(errors.map(({ field }) => field)).toEqual(['user_name', 'course', 'limit', 'before']);
  });

  test('has a limit of its own', async () => {
    await api.stop();
    api = await RunningRagApi.start({ limits: { recordsPerMinute: 2 } });
    await asked();
    await read(user);
    await read(user);
    const response = await api.get(`/history?${user}`);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await api.ask()).status).toBe(200);
  });
});

describe('DELETE /users/:name', () => {
  const forget = (name: string) => api.send('DELETE', `/users/${encodeURIComponent(name)}`);

  test('removes what is kept and what was learned of a user, and nothing else', async () => {
    const [id, other] = [await asked({ user_name: 'О/Ля ля?' }), await asked({ user_name: 'Пётр' })];
    for (const one of [id, other]) await rate(one, { value: 'positive' });
    await until('both are learned', () => learned.passages.size === 2);
    const response = await forget('О/Ля ля?');
    expect([response.status, await response.json()]).toEqual([200, { exchanges: 1 }]);
    expect(await (await forget('О/Ля ля?')).json()).toEqual({ exchanges: 0 });
    expect(api.history.only.id).toBe(other);
    expect([...learned.passages.keys()]).toEqual([other]);
    expect(api.log.join()).not.toContain('Ля');
  });

  test('takes the longest name', async () => {
    const name = '😀'.repeat(64);
    await asked({ user_name: name });
    expect(await (await forget(name)).json()).toEqual({ exchanges: 1 });
  });

  test('says nothing is done where the collections are down; once more does it', async () => {
    const id = await asked();
    await rate(id, { value: 'positive' });
    await until('it is learned', () => learned.passages.size === 1);
    learned.failure = new Error('refused');
    const response = await forget('Иван');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('10');
    expect(await codeOf(response)).toBe('ERASURE_INCOMPLETE');
    learned.failure = undefined;
    expect((await forget('Иван')).status).toBe(200);
    expect([learned.passages.size, api.history.exchanges.size]).toEqual([0, 0]);
  });

  test('removes what is being answered, too, and would have been saved later', async () => {
    let finish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    api.script = streaming(events.text('Да'), held, events.finish(), events.done());
    api.history.before = () => {
      throw new RagFailure('history-unavailable', 'refused');
    };
    const response = await api.ask();
    api.history.before = () => undefined;
    expect(await (await forget('Иван')).json()).toEqual({ exchanges: 0 });
    finish();
    expect(await response.text()).toBe('Да');
    await api.api.stop(1000);
    expect(api.history.exchanges.size).toBe(0);
  });

  test('waits for what is being learned at the moment, and removes it, too', async () => {
    const id = await asked();
    let write: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      write = resolve;
    });
    const put = learned.put.bind(learned);
    const removeUser = learned.removeUser.bind(learned);
    const calls: string[] = [];
    learned.put = async (passage) => {
      calls.push('put begins');
      await held;
      await put(passage);
      calls.push('put ends');
    };
    learned.removeUser = async (userName) => {
      calls.push('removeUser');
      await removeUser(userName);
    };
    learned.remove = async () => {
      throw new Error('refused');
    };
    await rate(id, { value: 'positive' });
    await until('it is written', () => calls.length > 0);
    const forgotten = forget('Иван');
    await until('the exchange is gone', () => api.history.exchanges.size === 0);
    write();
    expect((await forgotten).status).toBe(200);
    await api.api.followFeedback();
    expect(calls).toEqual(['put begins', 'put ends', 'removeUser']);
    expect(learned.passages.size).toBe(0);
  });

  test('refuses what is no name', async () => {
    expect((await forget('a\nb')).status).toBe(422);
  });
});

test.each([
  ['GET', '/history?user_name=a'],
  ['DELETE', '/users/a'],
  ['POST', `/exchanges/${randomUUID()}/feedback`],
  ['GET', '/v1/models'],
  ['POST', '/v1/chat/completions'],
] as const)('%s %s asks for a key', async (method, path) => {
  expect((await api.send(method, path, method === 'POST' ? {} : undefined, {})).status).toBe(401);
});
