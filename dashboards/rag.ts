import { PercentUnit, RequestsPerSecond, Seconds, Short } from '@grafana/grafana-foundation-sdk/units';
import { dashboard, type PanelBuilder, timeSeries } from './dashboard.js';
import { historyRows } from './history.js';
import { RAG_API_METRICS as RAG } from './metrics.js';
import { gauge, quantile, rate, sum } from './promql.js';
import type { Dashboard } from './provisioned.js';

/** The RAG API: what users ask, what they get, and how long they wait; with `history`, also what became of it over time. */
export function ragApi({ history }: { readonly history: boolean }): Dashboard {
  return dashboard({
    uid: 'ragdock-rag-api',
    title: 'RAG API',
    description: 'Questions and answers: how many, how fast, on what passages, and what goes wrong.',
    rows: [
      { title: 'Questions', panels: [outcomes(), courses(), inFlight()] },
      { title: 'Waiting', panels: [firstToken(), endToEnd(), stages()] },
      { title: 'Passages', panels: [hits(), topScore(), noContext()] },
      { title: 'What goes wrong', panels: [failures(), rejected(), degraded()] },
      { title: 'Losses and tokens', panels: [aborts(), lost(), tokens()] },
      ...(history ? historyRows() : []),
    ],
  });
}

function outcomes(): PanelBuilder {
  return timeSeries({
    title: 'Questions by how they ended',
    description:
      '`degraded` was answered without a component that was down; `refused` has no passages; `aborted`, no user any more.',
    unit: RequestsPerSecond,
    queries: [{ expr: sum(rate(RAG.requests), 'outcome'), legend: '{{outcome}}' }],
  });
}

function courses(): PanelBuilder {
  return timeSeries({
    title: 'Questions by course',
    description: 'In a second.',
    unit: RequestsPerSecond,
    queries: [{ expr: sum(rate(RAG.requests), 'course'), legend: '{{course}}' }],
  });
}

function inFlight(): PanelBuilder {
  return timeSeries({
    title: 'Questions that are being answered',
    description: 'At `limits.concurrentStreams` the API turns further ones away.',
    unit: Short,
    queries: [{ expr: gauge(RAG.streamsInFlight), legend: 'in flight' }],
  });
}

const quantiles = (metric: Parameters<typeof quantile>[1]) =>
  [0.5, 0.95, 0.99].map((share) => ({ expr: quantile(share, metric), legend: `p${share * 100}` }));

function firstToken(): PanelBuilder {
  return timeSeries({
    title: 'Time to the first character',
    description: 'From the question on; retrieval and the queue of the model server are part of it.',
    unit: Seconds,
    queries: quantiles(RAG.firstToken),
  });
}

function endToEnd(): PanelBuilder {
  return timeSeries({
    title: 'Time of a whole answer',
    description: 'Of answers that were completed.',
    unit: Seconds,
    queries: quantiles(RAG.endToEnd),
  });
}

function stages(): PanelBuilder {
  return timeSeries({
    title: 'Time of the stages, p95',
    description:
      '`embed` is a part of `retrieval`; `prefill` is what the model server takes to the first character, its queue included.',
    unit: Seconds,
    queries: [{ expr: quantile(0.95, RAG.stages, '', ['stage']), legend: '{{stage}}' }],
  });
}

function hits(): PanelBuilder {
  return timeSeries({
    title: 'Passages found',
    description: 'In a second, by collection. A collection that finds nothing may be empty, or of another language.',
    unit: Short,
    queries: [{ expr: sum(rate(RAG.retrievalHits), 'collection'), legend: '{{collection}}' }],
  });
}

function topScore(): PanelBuilder {
  return timeSeries({
    title: 'Score of the best passage, median',
    description: 'By collection. BM25 has no upper bound: compare it with itself over time alone.',
    unit: Short,
    queries: [{ expr: quantile(0.5, RAG.topScore, '', ['collection']), legend: '{{collection}}' }],
  });
}

function noContext(): PanelBuilder {
  return timeSeries({
    title: 'Questions without a passage',
    description: 'Share of all questions. Many of them mean that documents are missing.',
    unit: PercentUnit,
    max: 1,
    queries: [{ expr: `${sum(rate(RAG.noContext))} / ${sum(rate(RAG.requests))}`, legend: 'no passage' }],
  });
}

function failures(): PanelBuilder {
  return timeSeries({
    title: 'Questions that ended in an error',
    description: 'In a second, by code.',
    unit: RequestsPerSecond,
    queries: [{ expr: sum(rate(RAG.failures), 'code'), legend: '{{code}}' }],
  });
}

function rejected(): PanelBuilder {
  return timeSeries({
    title: 'Requests that were turned away',
    description: 'In a second, by code: a wrong key, a message that is too long, too many questions at once.',
    unit: RequestsPerSecond,
    queries: [{ expr: sum(rate(RAG.rejected), 'code'), legend: '{{code}}' }],
  });
}

function degraded(): PanelBuilder {
  return timeSeries({
    title: 'Answers without a component',
    description: 'Questions in a second that were answered, or refused, although a component was down.',
    unit: RequestsPerSecond,
    queries: [{ expr: sum(rate(RAG.degraded), 'component'), legend: '{{component}}' }],
  });
}

function aborts(): PanelBuilder {
  return timeSeries({
    title: 'Answers that nobody waited for',
    description: 'In a second. The model server is told to stop.',
    unit: RequestsPerSecond,
    queries: [{ expr: rate(RAG.upstreamAborts), legend: 'aborted' }],
  });
}

function lost(): PanelBuilder {
  return timeSeries({
    title: 'Exchanges that could not be saved',
    description: 'In a second. Their answers were given, but the history lacks them.',
    unit: RequestsPerSecond,
    queries: [{ expr: rate(RAG.exchangesLost), legend: 'lost' }],
  });
}

function tokens(): PanelBuilder {
  return timeSeries({
    title: 'Tokens',
    description: 'In a second, as the model server counted them.',
    unit: Short,
    queries: [{ expr: sum(rate(RAG.tokens), 'kind'), legend: '{{kind}}' }],
  });
}
