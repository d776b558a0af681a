export { AgentExporter, type AgentExporterProps } from './agent-exporter.js';
export { Alertmanager, type AlertmanagerProps, type AlertWebhook } from './alertmanager.js';
export { ExtraService, type ExtraServiceProps } from './extra-service.js';
export { Grafana, type GrafanaProps } from './grafana.js';
export { LlamaCppServer, type LlamaCppServerProps } from './llama-cpp-server.js';
export { NodeExporter, type NodeExporterProps } from './node-exporter.js';
export { Postgres, type PostgresProps } from './postgres.js';
export { PostgresExporter, type PostgresExporterProps } from './postgres-exporter.js';
export { Prometheus, type PrometheusProps, type ScrapeOptions } from './prometheus.js';
export { Qdrant, type QdrantProps } from './qdrant.js';
export { RagApi, type RagApiProps } from './rag-api.js';
export {
  GrafanaAdmin,
  type GrafanaAdminProps,
  PostgresRoles,
  type PostgresRolesProps,
  QdrantCollections,
  type QdrantCollectionsProps,
} from './setup-jobs.js';
export { type VllmFlagProblem, type VllmFlags, type VllmFlagValue, vllmFlagProblems } from './vllm/flags.js';
export { VllmModel, type VllmModelProps } from './vllm/model-job.js';
export { type VllmModelSource, VllmServer, type VllmServerProps } from './vllm-server.js';
export { giveVolumesToTheirOwners, VolumeOwnership } from './volume-ownership.js';
export { WebBot, type WebBotProps } from './web-bot.js';
