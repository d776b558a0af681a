import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { EmbeddedHistory } from '../../src/embedded/history.js';
import type { ExchangeOutcome, NewExchange } from '../../src/rag/ports.js';
import { sharedDatabase } from '../support/database.js';
import { keepsRecords } from '../support/history-contract.js';

const shared = sharedDatabase();
const historyOf = () => new EmbeddedHistory(shared.current);

const exchange = (fields: Partial<NewExchange> = {}): NewExchange => ({
  id: randomUUID(),
  requestId: 'r-1',
  userName: 'Иван',
  course: 'demo',
  question: 'Что такое RAG?',
  model: 'extractive',
  ...fields,
});

const OUTCOME: ExchangeOutcome = {
  status: 'complete',
  answer: 'Да.',
  refused: false,
  sources: [],
  degraded: [],
  timings: {},
};

const AWKWARD = `«Кавычки» "double" 'single' \`back\` \\n \\ {a,b} NULL $1 %s ; -- 😀 👩‍🔬 ñ \t\r\n конец`;

describe('an exchange', () => {
  test('is running when it has begun', async () => {
    const history = historyOf();
    const begun = exchange();
    const before = Date.now();
    await history.begin(begun);
    const found = await history.find(begun.id);
    expect(found).toEqual({
      ...begun,
      ...OUTCOME,
      status: 'running',
      answer: '',
      createdAt: expect.any(Date),
      finishedAt: undefined,
      finishReason: undefined,
      promptTokens: undefined,
      completionTokens: undefined,
      errorCode: undefined,
    });
    expect(Math.abs((found?.createdAt.getTime() ?? 0) - before)).toBeLessThan(10_000);
  });

  test('that begins twice is one, as it was first', async () => {
    const history = historyOf();
    const begun = exchange();
    await history.begin(begun);
    await history.begin({ ...begun, question: 'Другой вопрос' });
    expect(await history.find(begun.id)).toMatchObject({ question: begun.question });
  });

  test('is kept as it ended, with every field', async () => {
    const history = historyOf();
    const begun = exchange({ question: AWKWARD, userName: AWKWARD, course: AWKWARD });
    const outcome: ExchangeOutcome = {
      status: 'error',
      answer: AWKWARD,
      refused: true,
      sources: [
        {
          number: 1,
          collection: 'c',
          source: 'a "b".md',
          title: AWKWARD,
          heading: '',
          score: 0.1234567890123,
          text: AWKWARD,
        },
      ],
      degraded: ['history', AWKWARD, '', 'a,b', '{}', 'NULL'],
      timings: { total: 12.5, 'first token': 1e-7 },
      finishReason: 'length',
      promptTokens: 0,
      completionTokens: 2147483647,
      errorCode: 'llm-failed',
    };
    await history.begin(begun);
    await history.finish(begun.id, outcome);
    const found = await history.find(begun.id);
    expect(found).toEqual({ ...begun, ...outcome, createdAt: expect.any(Date), finishedAt: expect.any(Date) });
    expect(Number(found?.finishedAt)).toBeGreaterThanOrEqual(Number(found?.createdAt));
  });

  test('may have a long answer', async () => {
    const history = historyOf();
    const begun = exchange();
    const answer = 'Ответ 😀 '.repeat(12_000);
    await history.begin(begun);
    await history.finish(begun.id, { ...OUTCOME, answer });
    expect((await history.find(begun.id))?.answer).toBe(answer);
  });

  test('may end twice the same way', async () => {
    const history = historyOf();
    const begun = exchange();
    await history.begin(begun);
    await history.finish(begun.id, OUTCOME);
    await history.finish(begun.id, OUTCOME);
    expect(await history.find(begun.id)).toMatchObject({ status: 'complete', answer: 'Да.' });
  });

  test('that never began cannot end, and is not found', async () => {
    const history = historyOf();
    const id = randomUUID();
    await expect(history.finish(id, OUTCOME)).rejects.toThrow(`exchange ${id} was never begun`);
    expect(await history.find(id)).toBeUndefined();
  });
});

test('abandon ends those that run and are old enough, and gives their number', async () => {
  const history = historyOf();
  await history.abandon(0);
  const [running, ended] = [exchange(), exchange()];
  await history.begin(running);
  await history.begin(ended);
  await history.finish(ended.id, OUTCOME);
  expect(await history.abandon(3600)).toBe(0);
  expect(await history.find(running.id)).toMatchObject({ status: 'running' });
  expect(await history.abandon(0)).toBe(1);
  expect(await history.find(running.id)).toMatchObject({ status: 'aborted', finishedAt: expect.any(Date) });
  expect(await history.find(ended.id)).toMatchObject({ status: 'complete' });
  expect(await history.abandon(0)).toBe(0);
});

test('forget removes every exchange of one user, and of nobody else', async () => {
  const history = historyOf();
  const before = await history.count();
  const [one, other] = [exchange({ userName: "O'Brien" }), exchange({ userName: 'o%' })];
  await history.begin(one);
  await history.begin({ ...one, id: randomUUID() });
  await history.begin(other);
  expect(await history.count()).toBe(before + 3);
  expect(await history.forget("O'Brien")).toBe(2);
  expect(await history.forget("O'Brien")).toBe(0);
  expect(await history.find(one.id)).toBeUndefined();
  expect(await history.find(other.id)).toBeDefined();
  expect(await history.count()).toBe(before + 1);
});

test('a check passes on a database that has the tables', async () => {
  await expect(historyOf().check()).resolves.toBeUndefined();
});

keepsRecords('the embedded history', historyOf);
