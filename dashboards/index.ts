import { llm } from './llm.js';
import type { Dashboard } from './provisioned.js';
import { qdrant } from './qdrant.js';
import { ragApi } from './rag.js';
import { systemOverview } from './system-overview.js';

export { DATA_SOURCE, type Dashboard } from './provisioned.js';

/** What a stack has that dashboards can show. */
export interface DashboardOptions {
  /** Whether metrics of GPUs are collected. @default false */
  readonly gpus?: boolean;
  /** Whether metrics of a model server are collected. @default true */
  readonly llm?: boolean;
  /** Whether metrics of Qdrant are collected. @default true */
  readonly qdrant?: boolean;
  /** Whether the agent exporter measures the history and the collections. @default false */
  readonly history?: boolean;
}

/** The dashboards of a stack, in the order in which people look at them. */
export function dashboards({
  gpus = false,
  llm: hasLlm = true,
  qdrant: hasQdrant = true,
  history = false,
}: DashboardOptions = {}): readonly Dashboard[] {
  return [
    systemOverview({ gpus }),
    ragApi({ history }),
    ...(hasLlm ? [llm({ gpus })] : []),
    ...(hasQdrant ? [qdrant()] : []),
  ];
}
