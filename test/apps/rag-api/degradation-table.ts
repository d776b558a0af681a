import type { Fault } from '../../support/faulty-proxy.js';

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
  component: 'history' | 'embeddings' | 'retrieval',
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

/** What is another in the mode `general`: the model answers, and is told that the material is out of reach. */
export const DEGRADATION_IN_GENERAL: readonly DegradationCell[] = [
  without('Qdrant', 'stopped', 'retrieval'),
  without('Qdrant', 'hung', 'retrieval'),
  late('Qdrant'),
  without('Qdrant', 'rubbish', 'retrieval'),
];

/** What becomes of an answer whose first word its reader has, when a dependency has a fault from then on. */
export interface MidwayCell {
  readonly dependency: Dependency;
  readonly fault: Exclude<Fault, 'none'>;
  /** Whether the dependency comes back while the end of the answer is held back. @default false */
  readonly comesBack?: boolean;
  readonly ends: 'complete' | 'cut off';
  /** How it is on record in the end. */
  readonly status: 'complete' | 'error';
  /** The series that grows by one. */
  readonly metric: string;
  /** The field that names the cause in the line `question ended`. */
  readonly cause: string;
}

const cutOff = (fault: MidwayCell['fault'], cause: string): MidwayCell => ({
  dependency: 'LLM',
  fault,
  ends: 'cut off',
  status: 'error',
  metric: `rag_failures_total{code="${cause}"}`,
  cause: `errorCode ${cause}`,
});

const whole = (dependency: Dependency, fault: MidwayCell['fault']): MidwayCell => ({
  dependency,
  fault,
  ends: 'complete',
  status: 'complete',
  metric: 'rag_requests_total{course="demo",outcome="answered"}',
  cause: 'status complete',
});

const heldBack = (fault: MidwayCell['fault']): MidwayCell => ({ ...whole('PostgreSQL', fault), comesBack: true });

export const MIDWAY: readonly MidwayCell[] = [
  cutOff('stopped', 'llm-failed'),
  cutOff('hung', 'llm-timeout'),
  whole('LLM', 'slow'),
  cutOff('rubbish', 'llm-failed'),
  whole('Qdrant', 'stopped'),
  whole('Qdrant', 'hung'),
  whole('Qdrant', 'slow'),
  whole('Qdrant', 'rubbish'),
  whole('embeddings', 'stopped'),
  whole('embeddings', 'hung'),
  whole('embeddings', 'slow'),
  whole('embeddings', 'rubbish'),
  heldBack('stopped'),
  heldBack('hung'),
  whole('PostgreSQL', 'slow'),
  heldBack('rubbish'),
  { ...whole('PostgreSQL', 'stopped'), ends: 'cut off', metric: 'rag_exchanges_waiting' },
];

/** The rows of the page about answers that have begun, in Markdown. */
export function midwayRows(): readonly string[] {
  return MIDWAY.map(({ dependency, fault, comesBack = false, ends, status, metric, cause }) => {
    const lasts = comesBack ? `${fault}, for less than 15 s` : fault;
    return `| ${dependency} | ${lasts} | ${ends} | \`${status}\` | \`${metric}\` | \`question ended\`, \`${cause}\` |`;
  });
}

/** The rows of the page, in Markdown. */
export function degradationRows(cells: readonly DegradationCell[] = DEGRADATION): readonly string[] {
  return cells.map(({ dependency, fault, status, code, degraded, metric, log, cause }) => {
    const client = code === undefined ? `${status}` : `${status} \`${code}\``;
    const header = degraded === undefined ? '' : `\`${degraded}\``;
    return `| ${dependency} | ${fault} | ${client} | ${header} | \`${metric}\` | \`${log}\`, \`${cause}\` |`;
  });
}
