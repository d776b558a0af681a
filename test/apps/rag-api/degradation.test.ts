import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../support/environments.js';
import { HAS_POSTGRES } from '../../support/postgres-server.js';
import { until } from '../../support/until.js';
import { DEGRADATION, DEGRADATION_IN_GENERAL, degradationRows, midwayRows } from './degradation-table.js';
import { DegradedApi } from './degraded-api.js';

/** Longest time to the first byte, with every limit in force, in milliseconds. */
const LONGEST_MS = 6000;

describe.runIf(HAS_POSTGRES).each([
  { noContext: 'refuse', cells: DEGRADATION },
  { noContext: 'general', cells: DEGRADATION_IN_GENERAL },
] as const)('a dependency that has a fault, in the mode $noContext', { timeout: 60_000 }, ({ noContext, cells }) => {
  let degraded: DegradedApi;

  beforeAll(async () => {
    degraded = await DegradedApi.start(noContext);
  }, 60_000);

  afterAll(() => degraded?.stop());

  async function ask(requestId: string) {
    const began = performance.now();
    const response = await degraded.api.ask(
      { message: `Что такое RAG? ${requestId}` },
      { headers: { 'x-request-id': requestId } },
    );
    return { response, body: await response.text(), ms: performance.now() - began };
  }

  const linesOf = (requestId: string) =>
    degraded.api.log.map((line) => JSON.parse(line)).filter((line) => line.requestId === requestId);

  async function isWell(requestId: string): Promise<void> {
    await until(
      'an answer has everything again',
      async () => {
        const { response } = await ask(requestId);
        return (
          response.status === 200 && !response.headers.has('x-rag-degraded') && response.headers.has('x-exchange-id')
        );
      },
      20_000,
    );
  }

  test.each(cells)('$dependency, $fault: $status $code $degraded', async (cell) => {
    const { dependency, fault, status, code, metric, log, cause } = cell;
    await isWell(`${dependency}-before`);
    const before = await degraded.value(metric);
    const requestId = `${dependency}-${fault}`;
    await degraded.have(dependency, fault);
    try {
      const { response, body, ms } = await ask(requestId);
      expect([response.status, body]).toEqual([status, code === undefined ? 'Векторная база' : expect.any(String)]);
      if (code !== undefined) expect(JSON.parse(body)).toMatchObject({ code, request_id: requestId });
      expect(response.headers.get('x-rag-degraded') ?? undefined).toBe(cell.degraded);
      // An id is a promise: only where the exchange is saved.
      expect(response.headers.has('x-exchange-id')).toBe(code === undefined && cell.degraded !== 'history');
      expect(response.headers.has('retry-after')).toBe(status === 503);
      if (cell.degraded === 'retrieval') expect(response.headers.get('x-rag-sources')).toBe('0');
      expect(ms).toBeLessThan(LONGEST_MS);
      expect((await degraded.value(metric)) - before).toBe(1);
      const [field = '', value] = cause.split(' ');
      await until('the log says so', () =>
        linesOf(requestId).some((line) => line.msg === log && line[field] === value),
      );
      expect(JSON.stringify(linesOf(requestId))).not.toMatch(/Что такое|Иван|Векторная/);
    } finally {
      await degraded.recover(dependency, fault);
    }
    await isWell(`${dependency}-after`);
    if (dependency === 'PostgreSQL') await savedInTheEnd(requestId);
  });

  /** Nothing waits any more, and the exchange is there as it was asked and answered. */
  async function savedInTheEnd(requestId: string): Promise<void> {
    await until('nothing waits', async () => (await degraded.value('rag_exchanges_waiting')) === 0, 20_000);
    const client = await degraded.postgres.connect();
    const { rows } = await client.query('SELECT status, answer FROM rag.exchanges WHERE request_id = $1', [requestId]);
    await client.end();
    expect(rows).toEqual([{ status: 'complete', answer: 'Векторная база' }]);
    expect(await degraded.value('rag_exchanges_lost_total')).toBe(0);
  }
});

test.runIf(HAS_POSTGRES)('a stop waits for PostgreSQL, and what waits is written', { timeout: 60_000 }, async () => {
  const degraded = await DegradedApi.start();
  try {
    await degraded.have('PostgreSQL', 'stopped');
    const response = await degraded.api.ask();
    expect([response.headers.has('x-exchange-id'), await response.text()]).toEqual([false, 'Векторная база']);
    await until('it waits', async () => (await degraded.value('rag_exchanges_waiting')) === 1);
    const stopped = degraded.api.api.stop(0);
    await degraded.recover('PostgreSQL', 'stopped');
    await stopped;
    const client = await degraded.postgres.connect();
    const { rows } = await client.query('SELECT status, answer FROM rag.exchanges');
    await client.end();
    expect(rows).toEqual([{ status: 'complete', answer: 'Векторная база' }]);
  } finally {
    await degraded.stop();
  }
});

test('the page of the API shows the same tables', () => {
  const page = readFileSync(join(ROOT, 'docs/services/rag-api.md'), 'utf8').split('\n');
  const below = (heading: string) =>
    page.flatMap((line, at) => (line === heading ? [page.slice(at + 2, page.indexOf('', at))] : []));
  expect(below('| Dependency | Fault | Status | `X-Rag-Degraded` | Metric | Log line |')).toEqual([
    degradationRows(),
    degradationRows(DEGRADATION_IN_GENERAL),
  ]);
  expect(below('| Dependency | Fault | Answer | On record | Metric | Log line |')).toEqual([midwayRows()]);
});
