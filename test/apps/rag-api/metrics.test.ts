import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { RAG_API_METRICS } from '../../../dashboards/metrics.js';
import { serveMetrics } from '../../../src/apps/rag-api/metrics-server.js';
import { RunningRagApi } from '../../support/rag-api.js';
import { passage } from '../../support/rag-parts.js';

describe('the metrics of the RAG API', () => {
  test('are those of the catalogue, with its help, types and labels', async () => {
    const api = await RunningRagApi.start();
    await (await api.ask()).text();
    const registered = await api.api.metrics.registry.getMetricsAsJSON();
    const ours = registered.filter(({ name }) => name.startsWith('rag_'));
    expect(
      ours.map(({ name, help, type }) => ({ name, help, type })).sort((a, b) => (a.name < b.name ? -1 : 1)),
    ).toEqual(
      Object.values(RAG_API_METRICS)
        .map(({ name, help, type }) => ({ name, help, type }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
    const labelled = new Map(
      Object.values(RAG_API_METRICS).map(({ name, labels }) => [name as string, labels as readonly string[]]),
    );
    for (const { name, values } of ours) {
      for (const { labels } of values) {
        expect(labelled.get(name), name).toEqual(
          expect.arrayContaining(Object.keys(labels).filter((label) => label !== 'le')),
        );
      }
    }
    await api.stop();
  });

  test('count a question', async () => {
    const api = await RunningRagApi.start();
    await (await api.ask()).text();
    expect(await api.metric('rag_requests_total')).toEqual(['rag_requests_total{course="demo",outcome="answered"} 1']);
    expect(await api.metric('rag_retrieval_hits_total')).toEqual([
      'rag_retrieval_hits_total{collection="BD_curs_data"} 1',
    ]);
    expect(await api.metric('rag_tokens_total')).toEqual([
      'rag_tokens_total{kind="prompt"} 7',
      'rag_tokens_total{kind="completion"} 1',
    ]);
    for (const name of ['rag_ttft_seconds_count', 'rag_e2e_seconds_count']) {
      expect((await api.metric(name)).at(-1)).toMatch(/ 1$/);
    }
    const stages = ['retrieval', 'prompt', 'prefill', 'generation', 'save'];
    expect(await api.metric('rag_stage_seconds_count')).toEqual(
      stages.map((stage) => `rag_stage_seconds_count{stage="${stage}"} 1`),
    );
    expect(await api.metric('rag_streams_in_flight')).toEqual(['rag_streams_in_flight 0']);
    await api.stop();
  });

  test('tell an answer that had everything from one that had not', async () => {
    const api = await RunningRagApi.start();
    api.retrieval.results = [
      { collection: 'BD_curs_data', passages: [passage()] },
      { collection: 'BD_chat_question', failure: new Error('down') },
    ];
    const response = await api.ask();
    expect([response.headers.get('x-rag-degraded'), await response.text()]).toEqual(['retrieval', 'Да']);
    expect(await api.metric('rag_requests_total')).toEqual(['rag_requests_total{course="demo",outcome="degraded"} 1']);
    await api.stop();
  });

  test('count a question without a passage where the gate lets nothing pass, but not where a collection was not searched', async () => {
    const api = await RunningRagApi.start({ gate: { similarity: 0.6 } });
    const far = { collection: 'BD_curs_data', passages: [passage({ similarity: 0.1 })] };
    api.retrieval.results = [far];
    await (await api.ask()).text();
    expect(await api.metric('rag_no_context_total')).toEqual(['rag_no_context_total 1']);
    api.retrieval.results = [far, { collection: 'BD_chat_question', failure: new Error('down') }];
    expect((await api.ask()).status).toBe(503);
    api.retrieval.results = [{ collection: 'BD_curs_data', passages: [passage({ similarity: 0.9 })] }];
    await (await api.ask()).text();
    expect(await api.metric('rag_no_context_total')).toEqual(['rag_no_context_total 1']);
    await api.stop();
  });

  test('do not take a course from a request that was refused', async () => {
    const api = await RunningRagApi.start();
    await api.ask({ course: 'made up' });
    expect(await api.metric('rag_requests_total')).toEqual([]);
    expect(await api.metric('rag_rejected_total')).toEqual(['rag_rejected_total{code="INPUT_INVALID"} 1']);
    await api.stop();
  });
});

describe('the port of the metrics', () => {
  test('serves them without a key, and nothing else', async () => {
    const api = await RunningRagApi.start();
    const server = await serveMetrics(api.api.metrics.registry, 0, api.api.app.log);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const response = await fetch(`${url}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toContain('# TYPE rag_requests_total counter');
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${api.url}/metrics`)).status).toBe(404);
    server.closeAllConnections();
    server.close();
    await api.stop();
  });

  test('says 500 when they cannot be collected, and why in the log alone', async () => {
    const api = await RunningRagApi.start();
    const { registry } = api.api.metrics;
    registry.metrics = async () => {
      throw new Error('the collector is broken');
    };
    const server = await serveMetrics(registry, 0, api.api.app.log);
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
    expect(response.status).toBe(500);
    expect(await response.text()).toBe('');
    expect(api.log.join('')).toContain('the metrics could not be collected');
    server.closeAllConnections();
    server.close();
    await api.stop();
  });
});
