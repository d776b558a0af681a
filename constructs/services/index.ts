export { AgentExporter, type AgentExporterProps } from './agent-exporter.js';
export { Alertmanager, type AlertmanagerProps, type AlertWebhook } from './alertmanager.js';
export { DcgmExporter, type DcgmExporterProps } from './dcgm-exporter.js';
export { type EmbeddingModelSource, EmbeddingServer, type EmbeddingServerProps } from './embedding-server.js';
export {
  ExternalLlm,
  type ExternalLlmProps,
  type ExternalMetrics,
  ExternalPostgres,
  type ExternalPostgresProps,
  ExternalQdrant,
  type ExternalQdrantProps,
} from './external-servers.js';
export { ExtraService, type ExtraServiceProps } from './extra-service.js';
export { Grafana, type GrafanaProps } from './grafana.js';
export { HuggingFaceModel, type HuggingFaceModelProps } from './hugging-face-model.js';
export { LlamaCppServer, type LlamaCppServerProps } from './llama-cpp-server.js';
export { NodeExporter, type NodeExporterProps } from './node-exporter.js';
export { Postgres, type PostgresProps, type PostgresRoleOptions } from './postgres.js';
export { PostgresExporter, type PostgresExporterProps } from './postgres-exporter.js';
export { Prometheus, type PrometheusProps, type ScrapeOptions } from './prometheus.js';
export { Qdrant, type QdrantProps } from './qdrant.js';
export { RagApi, type RagApiProps } from './rag-api.js';
export {
  GrafanaAdmin,
  type GrafanaAdminProps,
  PostgresLogins,
  type PostgresLoginsProps,
  PostgresMigrations,
  type PostgresMigrationsProps,
  PostgresRoles,
  type PostgresRolesProps,
  QdrantCollections,
  type QdrantCollectionsProps,
} from './setup-jobs.js';
export { type VllmFlagProblem, type VllmFlags, type VllmFlagValue, vllmFlagProblems } from './vllm/flags.js';
export { type VllmModelSource, VllmServer, type VllmServerProps } from './vllm-server.js';
export { giveVolumesToTheirOwners, VolumeOwnership } from './volume-ownership.js';
export { WebBot, type WebBotProps } from './web-bot.js';
