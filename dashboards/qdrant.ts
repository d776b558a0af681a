import { BytesIEC, PercentUnit, RequestsPerSecond, Seconds, Short } from '@grafana/grafana-foundation-sdk/units';
import { dashboard, type PanelBuilder, timeSeries } from './dashboard.js';
import { QDRANT_METRICS as QDRANT } from './metrics.js';
import { gauge, observations, observed, quantile, rate, sum } from './promql.js';
import type { Dashboard } from './provisioned.js';

const JOB = 'job="qdrant"';

/** Searches. Before 1.17.1 the collection's name was written in another way. */
const QUERIES = `${JOB}, endpoint=~"/collections/\\\\{[a-z_]+\\\\}/points/(query|search).*"`;

/** What Qdrant holds, how it answers, and what that costs. */
export function qdrant(): Dashboard {
  return dashboard({
    uid: 'ragdock-qdrant',
    title: 'Qdrant',
    description: 'The vector database: its collections, its searches, and what they cost.',
    rows: [
      { title: 'Collections', panels: [points(), vectors(), optimizations()] },
      { title: 'Requests', panels: [requests(), errors(), updateQueue()] },
      { title: 'Searches', panels: [searchRate(), searchLatency(), searchMean()] },
      { title: 'Resources', panels: [memory(), limits(), pageFaults()] },
    ],
  });
}

function points(): PanelBuilder {
  return timeSeries({
    title: 'Points',
    description: 'Passages in each collection. Qdrant estimates this number while it rearranges a collection.',
    unit: Short,
    queries: [{ expr: gauge(QDRANT.points, JOB), legend: '{{id}}' }],
  });
}

function vectors(): PanelBuilder {
  return timeSeries({
    title: 'Vectors',
    description: 'By collection and name of the vector.',
    unit: Short,
    queries: [{ expr: gauge(QDRANT.vectors, JOB), legend: '{{collection}} {{vector}}' }],
  });
}

function optimizations(): PanelBuilder {
  return timeSeries({
    title: 'Optimizations that run',
    description: 'Qdrant builds indexes in the background after points were written; searches are slower meanwhile.',
    unit: Short,
    queries: [{ expr: gauge(QDRANT.optimizations, JOB), legend: '{{id}}' }],
  });
}

function requests(): PanelBuilder {
  return timeSeries({
    title: 'Requests by answer',
    description: 'In a second, over REST, by HTTP status.',
    unit: RequestsPerSecond,
    queries: [{ expr: sum(rate(QDRANT.responses, JOB), 'status'), legend: '{{status}}' }],
  });
}

function errors(): PanelBuilder {
  const failed = sum(rate(QDRANT.responses, `${JOB}, status=~"5.."`));
  return timeSeries({
    title: 'Error rate',
    description: 'Share of requests that Qdrant could not do (5xx). What was asked wrongly (4xx) is not counted.',
    unit: PercentUnit,
    max: 1,
    queries: [{ expr: `${failed} / ${sum(rate(QDRANT.responses, JOB))}`, legend: '5xx' }],
  });
}

function updateQueue(): PanelBuilder {
  return timeSeries({
    title: 'Updates that wait',
    description: 'What was taken and is not applied yet, by collection.',
    unit: Short,
    queries: [{ expr: gauge(QDRANT.updateQueue, JOB), legend: '{{id}}' }],
  });
}

function searchRate(): PanelBuilder {
  return timeSeries({
    title: 'Searches',
    description: 'In a second. A question to the RAG API searches every collection.',
    unit: RequestsPerSecond,
    queries: [{ expr: sum(rate(QDRANT.responses, QUERIES), 'endpoint'), legend: '{{endpoint}}' }],
  });
}

function searchLatency(): PanelBuilder {
  return timeSeries({
    title: 'Time of a search',
    description: 'Of searches that succeeded; Qdrant measures no others.',
    unit: Seconds,
    queries: [0.5, 0.95, 0.99].map((share) => ({
      expr: quantile(share, QDRANT.duration, QUERIES),
      legend: `p${share * 100}`,
    })),
  });
}

function searchMean(): PanelBuilder {
  return timeSeries({
    title: 'Mean time by request',
    description: 'Of requests that succeeded.',
    unit: Seconds,
    queries: [
      {
        expr: `${sum(observed(QDRANT.duration, JOB), 'method', 'endpoint')} / ${sum(observations(QDRANT.duration, JOB), 'method', 'endpoint')}`,
        legend: '{{method}} {{endpoint}}',
      },
    ],
  });
}

function memory(): PanelBuilder {
  return timeSeries({
    title: 'Memory',
    description:
      'What the process holds (resident), and what of it is in use (allocated). Mapped files are not counted.',
    unit: BytesIEC,
    queries: [
      { expr: gauge(QDRANT.memoryResident, JOB), legend: 'resident' },
      { expr: gauge(QDRANT.memoryAllocated, JOB), legend: 'allocated' },
    ],
  });
}

function limits(): PanelBuilder {
  return timeSeries({
    title: 'Open files and mappings',
    description: 'Share of the limit. At 1, Qdrant can open no segment any more.',
    unit: PercentUnit,
    max: 1,
    queries: [
      { expr: `${gauge(QDRANT.openFiles, JOB)} / ${gauge(QDRANT.maxFiles, JOB)}`, legend: 'files' },
      { expr: `${gauge(QDRANT.openMmaps, JOB)} / ${gauge(QDRANT.maxMmaps, JOB)}`, legend: 'mappings' },
    ],
  });
}

function pageFaults(): PanelBuilder {
  return timeSeries({
    title: 'Page faults that read the disk',
    description: 'In a second. Many of them mean that the collections do not fit into the memory.',
    unit: Short,
    queries: [{ expr: rate(QDRANT.majorPageFaults, JOB), legend: 'major' }],
  });
}
