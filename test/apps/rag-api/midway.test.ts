import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HAS_POSTGRES } from '../../support/postgres-server.js';
import { until } from '../../support/until.js';
import { MIDWAY } from './degradation-table.js';
import { DegradedApi } from './degraded-api.js';

describe.runIf(HAS_POSTGRES)('a fault after the first word of an answer', { timeout: 90_000 }, () => {
  let degraded: DegradedApi;

  beforeAll(async () => {
    degraded = await DegradedApi.start();
  }, 60_000);

  afterAll(() => degraded?.stop());

  const ask = (requestId: string) =>
    degraded.api.ask({ message: `Что такое RAG? ${requestId}` }, { headers: { 'x-request-id': requestId } });

  const endOf = (requestId: string) =>
    degraded.api.log
      .map((line) => JSON.parse(line))
      .find((line) => line.requestId === requestId && line.msg === 'question ended');

  async function isWell(requestId: string): Promise<void> {
    const whole = async () => {
      const response = await ask(requestId);
      const text = await response.text();
      return response.headers.has('x-exchange-id') && !response.headers.has('x-rag-degraded') && text !== '';
    };
    await until('an answer has everything', () => whole().catch(() => false), 20_000);
  }

  test.each(MIDWAY)('$dependency, $fault: $ends', async (cell) => {
    const { dependency, fault, comesBack = false, ends, status, metric, cause } = cell;
    const requestId = `${dependency}-${fault}-${ends.replace(' ', '-')}`;
    await isWell(`before-${requestId}`);
    const before = await degraded.value(metric);
    const goOn = degraded.holdAnswers();
    const response = await ask(requestId);
    expect([response.status, response.headers.has('x-exchange-id')]).toEqual([200, true]);
    const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
    expect(await reader.read()).toEqual({ done: false, value: 'Векторная' });
    await degraded.haveMidway(dependency, fault);
    let isThere = false;
    const comeBack = async () => {
      if (!isThere) await degraded.recover(dependency, fault);
      isThere = true;
    };
    try {
      goOn();
      const rest = restOf(reader);
      // Looked at below; it may fail long before that.
      rest.catch(() => undefined);
      await until('the question has ended', () => endOf(requestId) !== undefined, 10_000);
      if (comesBack) await comeBack();
      if (ends === 'complete') expect(await rest).toBe(' база');
      else await expect(rest).rejects.toThrow();
      await until('the series grew by one', async () => (await degraded.value(metric)) - before === 1);
    } finally {
      await comeBack();
    }
    const [field = '', value] = cause.split(' ');
    expect(endOf(requestId)?.[field]).toBe(value);
    await until('it is on record', async () => (await recordOf(requestId))?.status === status, 20_000);
    expect((await recordOf(requestId))?.answer).toBe(status === 'complete' ? 'Векторная база' : 'Векторная');
  });

  async function recordOf(requestId: string) {
    const client = await degraded.postgres.connect();
    const { rows } = await client.query('SELECT status, answer FROM rag.exchanges WHERE request_id = $1', [requestId]);
    await client.end();
    return rows[0] as { readonly status: string; readonly answer: string } | undefined;
  }
});

async function restOf(reader: ReadableStreamDefaultReader<string>): Promise<string> {
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += value;
  }
}
