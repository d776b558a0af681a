import type { Service } from '../../constructs/model/index.js';
import {
  Alertmanager,
  EmbeddingServer,
  Grafana,
  LlamaCppServer,
  Postgres,
  Qdrant,
  VllmServer,
} from '../../constructs/services/index.js';

const MODEL =
  'questions are refused with 503 and Retry-After, the chat says so; an answer that is being written breaks off as an error';

const OUTAGES = [
  [Qdrant, 'questions are refused with 503 and Retry-After, or answered without passages and marked as such'],
  [LlamaCppServer, `${MODEL}, until the model is loaded`],
  [VllmServer, `${MODEL}, until the model is loaded, which takes minutes`],
  [
    EmbeddingServer,
    'collections are searched by words alone, those of LangChain not at all, and answers are marked as such; services of your own get no vectors, until the model is loaded',
  ],
  [Postgres, 'questions are answered, not saved, and marked as such'],
  [Grafana, 'no dashboards; whoever is logged in stays so'],
  [Alertmanager, 'Prometheus keeps alerts and sends them afterwards'],
] as const;

/** What is seen while a service is replaced. */
export function outageOf(service: Service): string {
  return OUTAGES.find(([kind]) => service instanceof kind)?.[1] ?? 'it does not answer';
}
