import type { Fault } from '../support/faulty-proxy.js';

export type Dependency = 'LLM' | 'Qdrant' | 'embeddings' | 'PostgreSQL';

/** What the API does about one fault of one dependency; the page of the API shows the same table. */
export interface DegradationCell {
  readonly dependency: Dependency;
  readonly fault: Exclude<Fault, 'none'>;
  readonly status: number;
  /** Code of the problem. @default - there is an answer */
  readonly code?: string;
  /** What the header X-Rag-Degraded says. @default - nothing */
  readonly degraded?: 'history' | 'retrieval' | 'embeddings';
  /** The series that grows by one. */
  readonly metric: string;
  /** The message of the line that says so, and the field in it that names the cause. */
  readonly log: string;
  readonly cause: string;
}

const llm = (fault: DegradationCell['fault'], status: number, code: string): DegradationCell => {
  const cause = code.toLowerCase().replace('_', '-');
  const metric = `rag_failures_total{code="${cause}"}`;
  return { dependency: 'LLM', fault, status, code, metric, log: 'question ended', cause: `errorCode ${cause}` };
};

const qdrant = (fault: DegradationCell['fault']): DegradationCell => ({
  dependency: 'Qdrant',
  fault,
  status: 503,
  code: 'RETRIEVAL_UNAVAILABLE',
  metric: 'rag_failures_total{code="retrieval-unavailable"}',
  log: 'question ended',
  cause: 'errorCode retrieval-unavailable',
});

const without = (
  dependency: Dependency,
  fault: DegradationCell['fault'],
  component: 'history' | 'embeddings',
): DegradationCell => ({
  dependency,
  fault,
  status: 200,
  degraded: component,
  metric: `rag_degraded_total{component="${component}"}`,
  log: 'degraded',
  cause: `component ${component}`,
});

const late = (dependency: Dependency): DegradationCell => ({
  dependency,
  fault: 'slow',
  status: 200,
  metric: 'rag_requests_total{course="demo",outcome="answered"}',
  log: 'question ended',
  cause: 'status complete',
});

export const DEGRADATION: readonly DegradationCell[] = [
  llm('stopped', 503, 'LLM_UNAVAILABLE'),
  llm('hung', 504, 'LLM_TIMEOUT'),
  late('LLM'),
  llm('rubbish', 502, 'LLM_FAILED'),
  qdrant('stopped'),
  qdrant('hung'),
  late('Qdrant'),
  qdrant('rubbish'),
  without('embeddings', 'stopped', 'embeddings'),
  without('embeddings', 'hung', 'embeddings'),
  late('embeddings'),
  without('embeddings', 'rubbish', 'embeddings'),
  without('PostgreSQL', 'stopped', 'history'),
  without('PostgreSQL', 'hung', 'history'),
  late('PostgreSQL'),
  without('PostgreSQL', 'rubbish', 'history'),
];

/** The rows of the page, in Markdown. */
export function degradationRows(): readonly string[] {
  return DEGRADATION.map(({ dependency, fault, status, code, degraded, metric, log, cause }) => {
    const client = code === undefined ? `${status}` : `${status} \`${code}\``;
    const header = degraded === undefined ? '' : `\`${degraded}\``;
    return `| ${dependency} | ${fault} | ${client} | ${header} | \`${metric}\` | \`${log}\`, \`${cause}\` |`;
  });
}
