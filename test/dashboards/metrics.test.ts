import { expect, test } from 'vitest';
import {
  DCGM_METRICS,
  type ForeignMetric,
  NODE_METRICS,
  PROMETHEUS_METRICS,
  QDRANT_METRICS,
  VLLM_METRICS,
} from '../../dashboards/metrics.js';
import { readScrape, recording, sample, scrapeAt } from '../support/scrapes.js';

// The RAG API registers its metrics from the catalogue. What others measure is held against what they were seen to give.
// Of llama.cpp and of the PostgreSQL exporter there is no scrape; their names are those of their sources.

const SCRAPES: readonly (readonly [string, string, Readonly<Record<string, ForeignMetric>>])[] = [
  ['node exporter', recording('node-exporter'), NODE_METRICS],
  ['Prometheus', recording('prometheus'), PROMETHEUS_METRICS],
  ['Qdrant', recording('qdrant').replace('metrics.prom', 'metrics_after.prom'), QDRANT_METRICS],
  ['vLLM', sample('vllm/metrics_after_load.prom'), VLLM_METRICS],
  ['dcgm-exporter with an L4', sample('dcgm_k8s-ai-conformance_kops_L4.prom'), DCGM_METRICS],
  ['dcgm-exporter with an L40S', sample('dcgm_k8s-ai-conformance_upcloud_L40S.prom'), DCGM_METRICS],
];

test.each(SCRAPES)('%s gives every metric of the catalogue, with its type and labels', (_name, path, catalogue) => {
  const scrape = scrapeAt(path);
  if (!scrape) {
    console.warn(`${path} is missing: not compared`);
    return;
  }
  for (const { name, type, labels } of Object.values(catalogue)) {
    const scraped = scrape.get(name);
    expect(scraped, name).toBeDefined();
    // The node exporter gives some counters of the kernel without a type.
    if (scraped?.type !== 'untyped') expect(scraped?.type, name).toBe(type);
    for (const label of labels) expect(scraped?.labels, `${name}{${label}}`).toContain(label);
  }
});

test('a scrape is read with its types and labels', () => {
  const scrape = readScrape(
    '# TYPE a_seconds histogram\na_seconds_bucket{le="1",b="x"} 1\na_seconds_sum 2\n# TYPE c counter\nc 1\n',
  );
  expect(scrape.get('a_seconds')).toEqual({ type: 'histogram', labels: new Set(['le', 'b']) });
  expect(scrape.get('c')).toEqual({ type: 'counter', labels: new Set() });
});
