import { stringify } from 'yaml';
import {
  EMBEDDING_METRICS as EMBEDDINGS,
  DCGM_METRICS as GPU,
  DCGM_ERROR_METRICS as GPU_ERRORS,
  AGENT_EXPORTER_METRICS as HISTORY,
  LLAMA_CPP_METRICS as LLAMA,
  NODE_METRICS as NODE,
  POSTGRES_METRICS as POSTGRES,
  PROMETHEUS_METRICS as PROMETHEUS,
  QDRANT_METRICS as QDRANT,
  RAG_API_METRICS as RAG,
  SCRAPE_METRICS,
  VLLM_METRICS as VLLM,
} from './metrics.js';
import { gauge, increase, max, orElse, quantile, rate, sum } from './promql.js';

/** What a stack may lack; the rest is part of every one. */
export interface WatchedServices {
  /** Whether the host is measured. */
  readonly node: boolean;
  /** Whether PostgreSQL is measured. */
  readonly postgres: boolean;
  /** Whether graphics cards are measured. @default false */
  readonly gpus?: boolean;
  /** Whether there is an embedding server. @default false */
  readonly embeddings?: boolean;
  /** Whether Qdrant is measured. @default true */
  readonly qdrant?: boolean;
  /** Whether the agent exporter measures the history and the collections. @default false */
  readonly history?: boolean;
}

/** One thing that somebody should know. */
export interface Alert {
  /** Its name, under which docs/alerts.md says what to do. */
  readonly name: string;
  /** `critical`: users notice, or soon will. `warning`: it will become critical, or costs something. */
  readonly severity: 'critical' | 'warning';
  readonly expr: string;
  /** How long it has to last, in Prometheus' notation. */
  readonly for: string;
  /** One line; `{{ $labels.x }}` stands for a label's value. */
  readonly summary: string;
  /** What it means for users. */
  readonly description: string;
}

export interface AlertGroup {
  readonly name: string;
  readonly alerts: readonly Alert[];
}

/** Where an alert is explained: the page that comes with the package. */
const RUNBOOK = 'docs/alerts.md';

const FILE_SYSTEMS = 'fstype!~"tmpfs|ramfs|overlay|squashfs|nfs.*|autofs"';
const QDRANT_JOB = 'job="qdrant"';

/** Below this, a share of failures is one user's bad luck: questions in 10 minutes. */
const LEAST_QUESTIONS = 5;

const services: AlertGroup = {
  name: 'services',
  alerts: [
    {
      name: 'ServiceDown',
      severity: 'critical',
      expr: `${gauge(SCRAPE_METRICS.up)} == 0`,
      for: '2m',
      summary: '{{ $labels.job }} gives Prometheus no metrics',
      description: 'It is stopped, does not start, or hangs. Whatever needs it does not work, or does so without it.',
    },
    {
      name: 'PrometheusConfigurationRefused',
      severity: 'warning',
      expr: `${gauge(PROMETHEUS.reloadSuccessful)} == 0`,
      for: '5m',
      summary: 'Prometheus works with an old configuration',
      description: 'It could not read the configuration of the last deploy: new targets and rules are missing.',
    },
    {
      name: 'AlertRuleFails',
      severity: 'warning',
      expr: `${increase(PROMETHEUS.ruleFailures, '', '10m')} > 0`,
      for: '10m',
      summary: 'An alert rule cannot be evaluated',
      description: 'What the rules of {{ $labels.rule_group }} watch is not watched.',
    },
    {
      name: 'AlertsNotDelivered',
      severity: 'warning',
      expr: `${rate(PROMETHEUS.notificationErrors, '', '5m')} > 0`,
      for: '10m',
      summary: 'Prometheus cannot reach Alertmanager',
      description: 'Alerts fire, and nobody is told.',
    },
  ],
};

const questions: AlertGroup = {
  name: 'questions',
  alerts: [
    {
      name: 'QuestionsFail',
      severity: 'critical',
      expr:
        `${sum(rate(RAG.requests, 'outcome="error"', '10m'))} / ${sum(rate(RAG.requests, '', '10m'))} > 0.1 ` +
        `and ${sum(increase(RAG.requests, '', '10m'))} >= ${LEAST_QUESTIONS}`,
      for: '5m',
      summary: '{{ $value | humanizePercentage }} of the questions end in an error',
      description: 'Users see an error in place of an answer.',
    },
    {
      name: 'AnswersStartLate',
      severity: 'warning',
      expr: `${quantile(0.95, RAG.firstToken, '', [], '10m')} > 30`,
      for: '10m',
      summary: 'One answer in twenty takes more than 30 s to begin',
      description: 'Users look at an empty answer and leave. At the limit `firstTokenSeconds` they get an error.',
    },
    {
      name: 'AnswersWithoutComponent',
      severity: 'warning',
      expr: `${sum(rate(RAG.degraded, '', '5m'), 'component')} > 0`,
      for: '10m',
      summary: 'The RAG API answers without {{ $labels.component }}',
      description: 'Answers are worse than they could be, or are refused, until it is back.',
    },
    {
      name: 'ExchangesLost',
      severity: 'critical',
      expr: `${increase(RAG.exchangesLost, '', '15m')} > 0`,
      for: '0m',
      summary: 'Answers were given and could not be saved',
      description: 'The history lacks them for good.',
    },
    {
      name: 'ModelQueueGrows',
      severity: 'warning',
      // `or` binds looser than a comparison.
      expr: `(${orElse(sum(gauge(VLLM.waiting), 'job'), sum(gauge(LLAMA.deferred), 'job'))}) > 10`,
      for: '5m',
      summary: '{{ $value }} requests wait for {{ $labels.job }}',
      description: 'More is asked than the model server answers. Every further question waits longer.',
    },
    {
      name: 'ModelCacheFull',
      severity: 'warning',
      expr: `${max(gauge(VLLM.kvCache), 'job')} > 0.95`,
      for: '10m',
      summary: 'The KV cache of {{ $labels.job }} is full',
      description: 'Requests wait, and running ones are put off and computed anew.',
    },
  ],
};

const qdrant: AlertGroup = {
  name: 'qdrant',
  alerts: [
    {
      name: 'QdrantInRecoveryMode',
      severity: 'critical',
      expr: `${gauge(QDRANT.recoveryMode, QDRANT_JOB)} == 1`,
      for: '1m',
      summary: 'Qdrant runs in recovery mode',
      description: 'It could not load its collections within its memory. Searches fail.',
    },
    {
      name: 'QdrantFails',
      severity: 'critical',
      expr:
        `${sum(rate(QDRANT.responses, `${QDRANT_JOB}, status=~"5.."`, '5m'))} / ` +
        `${sum(rate(QDRANT.responses, QDRANT_JOB, '5m'))} > 0.05`,
      for: '5m',
      summary: '{{ $value | humanizePercentage }} of the requests to Qdrant fail',
      description: 'Questions are answered without passages, or refused.',
    },
    {
      name: 'QdrantRunsOutOfFiles',
      severity: 'warning',
      expr:
        `${gauge(QDRANT.openFiles, QDRANT_JOB)} / ${gauge(QDRANT.maxFiles, QDRANT_JOB)} > 0.8 or ` +
        `${gauge(QDRANT.openMmaps, QDRANT_JOB)} / ${gauge(QDRANT.maxMmaps, QDRANT_JOB)} > 0.8`,
      for: '10m',
      summary: 'Qdrant uses {{ $value | humanizePercentage }} of the files or mappings that it may open',
      description: 'At the limit it can open no segment, and writes fail.',
    },
  ],
};

const host: AlertGroup = {
  name: 'host',
  alerts: [
    {
      name: 'DiskAlmostFull',
      severity: 'critical',
      expr: `${gauge(NODE.filesystemAvailable, FILE_SYSTEMS)} / ${gauge(NODE.filesystemSize, FILE_SYSTEMS)} < 0.05`,
      for: '5m',
      summary: '{{ $labels.mountpoint }} has {{ $value | humanizePercentage }} left',
      description: 'A full disk stops PostgreSQL and Qdrant, and what they were writing is lost.',
    },
    {
      name: 'DiskFillsUp',
      severity: 'warning',
      expr:
        `predict_linear(${gauge(NODE.filesystemAvailable, FILE_SYSTEMS)}[6h], 86400) < 0 and ` +
        `${gauge(NODE.filesystemAvailable, FILE_SYSTEMS)} / ${gauge(NODE.filesystemSize, FILE_SYSTEMS)} < 0.4`,
      for: '1h',
      summary: '{{ $labels.mountpoint }} will be full within a day',
      description: 'If it goes on as in the last six hours.',
    },
    {
      name: 'FileSystemReadOnly',
      severity: 'critical',
      expr: `${gauge(NODE.filesystemReadOnly, 'mountpoint="/"')} == 1`,
      for: '1m',
      summary: 'The file system of the host cannot be written to',
      description: 'The kernel does that after an error of the disk. The databases stop.',
    },
    {
      name: 'MemoryAlmostFull',
      severity: 'warning',
      expr: `${gauge(NODE.memoryAvailable)} / ${gauge(NODE.memoryTotal)} < 0.05`,
      for: '10m',
      summary: 'The host has {{ $value | humanizePercentage }} of its memory left',
      description: 'The kernel will end a process to get some, and chooses a large one.',
    },
    {
      name: 'ProcessKilledForMemory',
      severity: 'warning',
      expr: `${increase(NODE.oomKills, '', '10m')} > 0`,
      for: '0m',
      summary: 'A process was ended for want of memory',
      description: 'A container reached its limit, or the host has no memory left.',
    },
  ],
};

const postgres: AlertGroup = {
  name: 'postgres',
  alerts: [
    {
      name: 'PostgresDown',
      severity: 'critical',
      expr: `${gauge(POSTGRES.up)} == 0`,
      for: '2m',
      summary: 'The exporter cannot log in to PostgreSQL',
      description: 'PostgreSQL is stopped, or has no connection left. Exchanges cannot be saved.',
    },
    {
      name: 'PostgresConnectionsAlmostUsedUp',
      severity: 'warning',
      expr: `${sum(gauge(POSTGRES.connections))} / ${max(gauge(POSTGRES.maxConnections))} > 0.8`,
      for: '5m',
      summary: '{{ $value | humanizePercentage }} of the connections of PostgreSQL are in use',
      description: 'When none is left, exchanges cannot be saved.',
    },
    {
      name: 'PostgresDeadlocks',
      severity: 'warning',
      expr: `${sum(increase(POSTGRES.deadlocks, '', '10m'), 'datname')} > 0`,
      for: '0m',
      summary: 'Transactions in {{ $labels.datname }} blocked each other',
      description: 'PostgreSQL ended one of them. The stack’s own never do that to each other.',
    },
  ],
};

const gpus: AlertGroup = {
  name: 'gpus',
  alerts: [
    {
      name: 'GpuError',
      severity: 'warning',
      // The gauge keeps the last code, and is not there before the first one: neither a change nor a growth would show that.
      expr: `(${gauge(GPU_ERRORS.lastError)} > 0) unless (${gauge(GPU_ERRORS.lastError)} == ${gauge(GPU_ERRORS.lastError)} offset 10m)`,
      for: '0m',
      summary: 'GPU {{ $labels.gpu }} reported the error XID {{ $value }}',
      description: 'The driver or a program failed on the card. A model server that used it may have died.',
    },
    {
      name: 'GpuHot',
      severity: 'warning',
      expr: `${gauge(GPU.temperature)} > 85`,
      for: '5m',
      summary: 'GPU {{ $labels.gpu }} is at {{ $value }} °C',
      description: 'The card slows itself down, and answers with it. At its limit it switches off.',
    },
    {
      name: 'GpuRowRemapFails',
      severity: 'critical',
      expr: `${gauge(GPU.rowRemapFailure)} == 1`,
      for: '0m',
      summary: 'GPU {{ $labels.gpu }} has memory that it cannot replace',
      description: 'The card has no spare row left for a broken one. Programs on it will fail.',
    },
    {
      name: 'GpuMemoryBreaks',
      severity: 'warning',
      expr: `${increase(GPU.uncorrectableRows, '', '1h')} > 0`,
      for: '0m',
      summary: 'GPU {{ $labels.gpu }} replaced broken memory',
      description:
        'An error could not be corrected: the program that had the data ended. The row is not used any more.',
    },
  ],
};

const embeddings: AlertGroup = {
  name: 'embeddings',
  alerts: [
    {
      name: 'EmbeddingsFail',
      severity: 'critical',
      expr: `${sum(rate(EMBEDDINGS.failures, 'err="inference"', '5m'))} > 0`,
      for: '5m',
      summary: 'The embedding server cannot compute texts',
      description: 'Its clients get an error in place of vectors.',
    },
    {
      name: 'EmbeddingsRefused',
      severity: 'warning',
      expr: `${sum(rate(EMBEDDINGS.failures, 'err="overloaded"', '5m'))} > 0`,
      for: '5m',
      summary: 'The embedding server refuses texts for want of room',
      description: 'More texts come at once than it takes. Clients have to try again, and some will give up.',
    },
    {
      name: 'EmbeddingQueueGrows',
      severity: 'warning',
      expr: `${max(gauge(EMBEDDINGS.queue))} > 100`,
      for: '5m',
      summary: '{{ $value }} texts wait for the embedding server',
      description: 'More is asked than it computes. Every further text waits longer.',
    },
  ],
};

const REFUSED = sum(increase(HISTORY.exchanges, 'outcome="refused"', '1h'), 'course');
const ENDED = sum(increase(HISTORY.exchanges, '', '1h'), 'course');

const history: AlertGroup = {
  name: 'history',
  alerts: [
    {
      name: 'CourseLacksDocuments',
      severity: 'warning',
      expr: `${REFUSED} / ${ENDED} > 0.5 and ${ENDED} >= ${LEAST_QUESTIONS}`,
      for: '15m',
      summary: '{{ $value | humanizePercentage }} of the questions of the course {{ $labels.course }} are refused',
      description: 'Nothing is found for them: the documents of the course are missing, or are in another language.',
    },
    {
      name: 'NothingToSearch',
      severity: 'warning',
      expr: `${sum(gauge(HISTORY.points))} == 0`,
      for: '1h',
      summary: 'The collections are empty',
      description: 'Every question is refused, or answered without a source, until documents are ingested.',
    },
    {
      name: 'CollectionShrank',
      severity: 'warning',
      expr: `${gauge(HISTORY.points)} < 0.5 * max_over_time(${gauge(HISTORY.points)}[1d])`,
      for: '30m',
      summary: 'The collection {{ $labels.collection }} has less than half of the passages that it had within a day',
      description: 'Somebody removed documents, or data was lost. Questions about them are refused.',
    },
    {
      name: 'ExporterCannotRead',
      severity: 'warning',
      expr: `${gauge(HISTORY.up)} == 0`,
      for: '10m',
      summary: 'The agent exporter cannot read {{ $labels.source }}',
      description:
        'PostgreSQL or Qdrant does not answer it. Its numbers are missing, and alerts about them are silent.',
    },
  ],
};

/** The alerts for what a stack has. */
export function alertGroups(watched: WatchedServices): readonly AlertGroup[] {
  return [
    services,
    questions,
    ...(watched.qdrant === false ? [] : [qdrant]),
    ...(watched.node ? [host] : []),
    ...(watched.postgres ? [postgres] : []),
    ...(watched.gpus ? [gpus] : []),
    ...(watched.embeddings ? [embeddings] : []),
    ...(watched.history ? [history] : []),
  ];
}

/** The same as a rule file of Prometheus. */
export function alertRules(watched: WatchedServices): string {
  const groups = alertGroups(watched).map(({ name, alerts }) => ({
    name,
    rules: alerts.map((alert) => ({
      alert: alert.name,
      expr: alert.expr,
      for: alert.for,
      labels: { severity: alert.severity },
      annotations: {
        summary: alert.summary,
        description: alert.description,
        runbook: `${RUNBOOK}#${alert.name.toLowerCase()}`,
      },
    })),
  }));
  return `# Written by ragdock for the services that this stack has.\n${stringify({ groups }, { lineWidth: 0 })}`;
}
