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

/** A prompt is laid out within a millisecond, and a long answer is generated in minutes. */
const STAGE_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
] as const;

/** Stages of a question in their order, saving apart, as exchanges keep their times. `embed` is a part of `retrieval`. */
export const RAG_STAGES = ['embed', 'retrieval', 'prompt', 'prefill', 'generation'] as const;

/** What the RAG API measures. Courses come from the settings and bound the label `course`. */
export const RAG_API_METRICS = {
  requests: {
    name: 'rag_requests_total',
    help: 'Questions by course and by how they ended: answered, degraded, refused, aborted or error',
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
    help: 'Questions for which nothing was found: no collection had a passage, or none that the gate lets pass',
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
    help: 'Exchanges that could not be saved, and will not be',
    type: 'counter',
    labels: [],
  },
  exchangesWaiting: {
    name: 'rag_exchanges_waiting',
    help: 'Exchanges that have ended and wait until PostgreSQL can be reached',
    type: 'gauge',
    labels: [],
  },
  exchangesWaitingBytes: {
    name: 'rag_exchanges_waiting_bytes',
    help: 'Memory that the exchanges which wait for PostgreSQL take',
    type: 'gauge',
    labels: [],
  },
  feedback: {
    name: 'rag_feedback_total',
    help: 'What users thought of answers, each time they said it: positive or negative',
    type: 'counter',
    labels: ['value'],
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
    help: 'Time that a stage took: embed, a part of retrieval, retrieval, prompt, prefill, generation or save',
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

/** What the agent exporter measures. Its counters are kept in the database: neither a restart nor retention sets them back. */
export const AGENT_EXPORTER_METRICS = {
  exchanges: {
    name: 'rag_history_exchanges_total',
    help: 'Exchanges that have ended, by course and by how: answered, refused, aborted or error',
    type: 'counter',
    labels: ['course', 'outcome'],
  },
  withoutSources: {
    name: 'rag_history_without_sources_total',
    help: 'Answers of the model that were given no passage',
    type: 'counter',
    labels: ['course'],
  },
  cutOff: {
    name: 'rag_history_cut_off_total',
    help: 'Answers that ended at the limit of tokens',
    type: 'counter',
    labels: ['course'],
  },
  passages: {
    name: 'rag_history_passages_total',
    help: 'Passages that answers were given, by course and collection',
    type: 'counter',
    labels: ['course', 'collection'],
  },
  tokens: {
    name: 'rag_history_tokens_total',
    help: 'Tokens that the model server counted, by course and kind: prompt or completion',
    type: 'counter',
    labels: ['course', 'kind'],
  },
  lastExchange: {
    name: 'rag_history_last_exchange_timestamp_seconds',
    help: 'When the last exchange of a course ended, in Unix time',
    type: 'gauge',
    labels: ['course'],
  },
  oldestExchange: {
    name: 'rag_history_oldest_exchange_timestamp_seconds',
    help: 'When the oldest exchange that is kept began, in Unix time',
    type: 'gauge',
    labels: [],
  },
  users: {
    name: 'rag_history_users',
    help: 'Users who asked something within the last day or week, in any course',
    type: 'gauge',
    labels: ['period'],
  },
  courseUsers: {
    name: 'rag_history_course_users',
    help: 'Users who asked something within the last day or week, by course',
    type: 'gauge',
    labels: ['course', 'period'],
  },
  wait: {
    name: 'rag_history_wait_seconds',
    help: 'How long answers of the last 24 hours took until their first character (first_token) and their end (total)',
    type: 'gauge',
    labels: ['course', 'moment', 'quantile'],
  },
  points: {
    name: 'rag_knowledge_points',
    help: 'Points in a collection of Qdrant, one for each passage; approximate while Qdrant optimises',
    type: 'gauge',
    labels: ['collection'],
  },
  up: {
    name: 'rag_exporter_up',
    help: 'Whether the last reading of a source succeeded: counts and activity of PostgreSQL, or qdrant',
    type: 'gauge',
    labels: ['source'],
  },
  lastRead: {
    name: 'rag_exporter_last_read_timestamp_seconds',
    help: 'When a source was last read with success, in Unix time',
    type: 'gauge',
    labels: ['source'],
  },
  readSeconds: {
    name: 'rag_exporter_read_seconds',
    help: 'How long the last reading of a source took',
    type: 'gauge',
    labels: ['source'],
  },
} as const satisfies Record<string, Metric>;

/** A metric of a program that is not ours, as far as dashboards and alerts use it. */
export type ForeignMetric = Pick<Metric, 'name' | 'type' | 'labels'>;

const counter = <const Name extends string>(name: Name, ...labels: readonly string[]) =>
  ({ name, type: 'counter', labels }) as const satisfies ForeignMetric;
const gauge = <const Name extends string>(name: Name, ...labels: readonly string[]) =>
  ({ name, type: 'gauge', labels }) as const satisfies ForeignMetric;
const histogram = <const Name extends string>(name: Name, ...labels: readonly string[]) =>
  ({ name, type: 'histogram', labels }) as const satisfies ForeignMetric;

/** What Prometheus itself makes of every scrape. */
export const SCRAPE_METRICS = {
  up: gauge('up', 'job', 'instance'),
} as const satisfies Record<string, ForeignMetric>;

export const PROMETHEUS_METRICS = {
  reloadSuccessful: gauge('prometheus_config_last_reload_successful'),
  ruleFailures: counter('prometheus_rule_evaluation_failures_total', 'rule_group'),
  notificationErrors: counter('prometheus_notifications_errors_total', 'alertmanager'),
  series: gauge('prometheus_tsdb_head_series'),
} as const satisfies Record<string, ForeignMetric>;

export const NODE_METRICS = {
  cpuSeconds: counter('node_cpu_seconds_total', 'cpu', 'mode'),
  load1: gauge('node_load1'),
  load5: gauge('node_load5'),
  load15: gauge('node_load15'),
  memoryTotal: gauge('node_memory_MemTotal_bytes'),
  memoryAvailable: gauge('node_memory_MemAvailable_bytes'),
  oomKills: counter('node_vmstat_oom_kill'),
  filesystemSize: gauge('node_filesystem_size_bytes', 'device', 'fstype', 'mountpoint'),
  filesystemAvailable: gauge('node_filesystem_avail_bytes', 'device', 'fstype', 'mountpoint'),
  filesystemReadOnly: gauge('node_filesystem_readonly', 'device', 'fstype', 'mountpoint'),
  networkReceived: counter('node_network_receive_bytes_total', 'device'),
  networkSent: counter('node_network_transmit_bytes_total', 'device'),
  diskRead: counter('node_disk_read_bytes_total', 'device'),
  diskWritten: counter('node_disk_written_bytes_total', 'device'),
  diskBusySeconds: counter('node_disk_io_time_seconds_total', 'device'),
} as const satisfies Record<string, ForeignMetric>;

/** Of the exporter's default set; the label of the host changed its name between versions, so none is used. */
export const DCGM_METRICS = {
  utilization: gauge('DCGM_FI_DEV_GPU_UTIL', 'gpu', 'modelName'),
  memoryUsed: gauge('DCGM_FI_DEV_FB_USED', 'gpu', 'modelName'),
  memoryFree: gauge('DCGM_FI_DEV_FB_FREE', 'gpu', 'modelName'),
  memoryReserved: gauge('DCGM_FI_DEV_FB_RESERVED', 'gpu', 'modelName'),
  temperature: gauge('DCGM_FI_DEV_GPU_TEMP', 'gpu', 'modelName'),
  power: gauge('DCGM_FI_DEV_POWER_USAGE', 'gpu', 'modelName'),
  rowRemapFailure: gauge('DCGM_FI_DEV_ROW_REMAP_FAILURE', 'gpu', 'modelName'),
  uncorrectableRows: counter('DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS', 'gpu', 'modelName'),
} as const satisfies Record<string, ForeignMetric>;

/** Of a card that had no error yet there is none of these: no scrape shows them. */
export const DCGM_ERROR_METRICS = {
  /** The code of the last error; it stays. */
  lastError: gauge('DCGM_FI_DEV_XID_ERRORS', 'gpu', 'modelName'),
} as const satisfies Record<string, ForeignMetric>;

/** text-embeddings-inference 1.9. A counter is there from its first event on. */
export const EMBEDDING_METRICS = {
  queue: gauge('te_queue_size'),
  failures: counter('te_request_failure', 'err'),
} as const satisfies Record<string, ForeignMetric>;

/** vLLM from 0.28 on; its counters carry the ending that the Python client gives them. */
export const VLLM_METRICS = {
  running: gauge('vllm:num_requests_running', 'model_name'),
  waiting: gauge('vllm:num_requests_waiting', 'model_name'),
  kvCache: gauge('vllm:kv_cache_usage_perc', 'model_name'),
  finished: counter('vllm:request_success_total', 'model_name', 'finished_reason'),
  promptTokens: counter('vllm:prompt_tokens_total', 'model_name'),
  promptTokensCached: counter('vllm:prompt_tokens_cached_total', 'model_name'),
  generationTokens: counter('vllm:generation_tokens_total', 'model_name'),
  preemptions: counter('vllm:num_preemptions_total', 'model_name'),
  firstToken: histogram('vllm:time_to_first_token_seconds', 'model_name'),
  interToken: histogram('vllm:inter_token_latency_seconds', 'model_name'),
  endToEnd: histogram('vllm:e2e_request_latency_seconds', 'model_name'),
} as const satisfies Record<string, ForeignMetric>;

/** llama.cpp's server has no labels and no histograms. */
export const LLAMA_CPP_METRICS = {
  processing: gauge('llamacpp:requests_processing'),
  deferred: gauge('llamacpp:requests_deferred'),
  promptTokens: counter('llamacpp:prompt_tokens_total'),
  generationTokens: counter('llamacpp:tokens_predicted_total'),
  generationSeconds: counter('llamacpp:tokens_predicted_seconds_total'),
} as const satisfies Record<string, ForeignMetric>;

/** Qdrant from 1.17.1 on. Which label names the collection depends on the metric. */
export const QDRANT_METRICS = {
  recoveryMode: gauge('app_status_recovery_mode'),
  points: gauge('collection_points', 'id'),
  vectors: gauge('collection_vectors', 'collection', 'vector'),
  optimizations: gauge('collection_running_optimizations', 'id'),
  updateQueue: gauge('collection_update_queue_length', 'id'),
  responses: counter('rest_responses_total', 'method', 'endpoint', 'status'),
  /** Of requests that were answered with 200 alone. */
  duration: histogram('rest_responses_duration_seconds', 'method', 'endpoint'),
  memoryResident: gauge('memory_resident_bytes'),
  memoryAllocated: gauge('memory_allocated_bytes'),
  openFiles: gauge('process_open_fds'),
  maxFiles: gauge('process_max_fds'),
  openMmaps: gauge('process_open_mmaps'),
  maxMmaps: gauge('system_max_mmaps'),
  majorPageFaults: counter('process_major_page_faults_total'),
} as const satisfies Record<string, ForeignMetric>;

export const POSTGRES_METRICS = {
  up: gauge('pg_up'),
  connections: gauge('pg_stat_activity_count', 'datname', 'state'),
  maxConnections: gauge('pg_settings_max_connections'),
  deadlocks: counter('pg_stat_database_deadlocks', 'datname'),
} as const satisfies Record<string, ForeignMetric>;
