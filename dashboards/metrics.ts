/** A metric of the bundled apps. Applications register it from here; dashboards and alerts name it from here. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[];
}

/** From 50 ms to 5 min: a first token on a busy model and a long answer both fall inside. */
const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300] as const;

/** Stages that no model takes part in. */
const STAGE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;

/** What the RAG API measures. Courses come from the settings and bound the label `course`. */
export const RAG_API_METRICS = {
  requests: {
    name: 'rag_requests_total',
    help: 'Questions by course and by how they ended: answered, refused, aborted or error',
    type: 'counter',
    labels: ['course', 'outcome'],
  },
  rejected: {
    name: 'rag_rejected_total',
    help: 'Requests that were answered with a problem, by its code',
    type: 'counter',
    labels: ['code'],
  },
  failures: {
    name: 'rag_failures_total',
    help: 'Questions that ended in an error, by code',
    type: 'counter',
    labels: ['code'],
  },
  retrievalHits: {
    name: 'rag_retrieval_hits_total',
    help: 'Passages that searches found, by collection',
    type: 'counter',
    labels: ['collection'],
  },
  noContext: {
    name: 'rag_no_context_total',
    help: 'Questions for which no collection had a passage',
    type: 'counter',
    labels: [],
  },
  degraded: {
    name: 'rag_degraded_total',
    help: 'Questions that were answered, or refused, without a component that was down',
    type: 'counter',
    labels: ['component'],
  },
  upstreamAborts: {
    name: 'rag_upstream_aborts_total',
    help: 'Answers that ended early because the client was gone',
    type: 'counter',
    labels: [],
  },
  exchangesLost: {
    name: 'rag_exchanges_lost_total',
    help: 'Exchanges that could not be saved',
    type: 'counter',
    labels: [],
  },
  tokens: {
    name: 'rag_tokens_total',
    help: 'Tokens that the model server counted, by kind: prompt or completion',
    type: 'counter',
    labels: ['kind'],
  },
  streamsInFlight: {
    name: 'rag_streams_in_flight',
    help: 'Questions that are being answered',
    type: 'gauge',
    labels: [],
  },
  firstToken: {
    name: 'rag_ttft_seconds',
    help: 'Time from the question to the first character of the answer that is not white space',
    type: 'histogram',
    labels: [],
    buckets: SECONDS,
  },
  endToEnd: {
    name: 'rag_e2e_seconds',
    help: 'Time from the question to the end of the answer, for answers that were completed',
    type: 'histogram',
    labels: [],
    buckets: SECONDS,
  },
  stages: {
    name: 'rag_stage_seconds',
    help: 'Time that a stage took: retrieval',
    type: 'histogram',
    labels: ['stage'],
    buckets: STAGE_SECONDS,
  },
  topScore: {
    name: 'rag_top_score',
    help: 'Score of the best passage of a search, by collection; BM25 has no upper bound',
    type: 'histogram',
    labels: ['collection'],
    buckets: [0.5, 1, 2, 4, 6, 8, 10, 15, 20, 30],
  },
} as const satisfies Record<string, Metric>;
