import { Deployment, type DeploymentDescription } from './deployment.js';
import { hostScript } from './project.js';

/** The services guide's stack, under the guide's names. */
const SAIGA = {
  name: 'saiga',
  services: [
    'agent-exporter',
    'dcgm-exporter',
    'embeddings',
    'grafana',
    'llm-saiga',
    'node-exporter',
    'postgres',
    'prometheus',
    'qdrant',
    'rag-api',
    'web-bot',
  ],
  containers: {
    'agent-exporter': 'agent-exporter',
    'dcgm-exporter': 'dcgm-exporter_new',
    embeddings: 'saiga_embeddings',
    grafana: 'grafana_new',
    'llm-saiga': 'saiga_saiga_1',
    'node-exporter': 'node-exporter_new',
    postgres: 'ml_postgres',
    prometheus: 'prometheus_new',
    qdrant: 'qdrant_new',
    'rag-api': 'project_api_service',
    'web-bot': 'webbot2',
  },
  dataVolumes: ['embeddings-models', 'llm-saiga-cache', 'llm-saiga-models', 'qdrant-snapshots'],
  namedVolumes: [
    'grafana_data_new',
    'ml_postgres_backups',
    'ml_postgres_data',
    'prometheus_data_new',
    'qdrant_storage_new',
  ],
  llm: { service: 'llm-saiga', port: 8010, model: 'NightForger/saiga_nemo_12b-GPTQ' },
  collection: 'BD_curs_data',
  course: 'demo',
  chat: 'http://127.0.0.1:8081/',
} as const satisfies Omit<DeploymentDescription, 'project'>;

/** What we would run today. */
const PROD = {
  name: 'prod',
  services: [
    'agent-exporter',
    'alertmanager',
    'dcgm-exporter',
    'embeddings',
    'grafana',
    'llm-main',
    'node-exporter',
    'postgres',
    'postgres-exporter',
    'prometheus',
    'qdrant',
    'rag-api',
    'web-bot',
  ],
  dataVolumes: [
    'alertmanager-data',
    'embeddings-models',
    'grafana-data',
    'llm-main-cache',
    'llm-main-models',
    'postgres-backups',
    'postgres-data',
    'prometheus-data',
    'qdrant-data',
    'qdrant-snapshots',
  ],
  sharesSecrets: true,
  llm: { service: 'llm-main', port: 8010, model: 'Qwen/Qwen3-14B-AWQ' },
  collection: 'BD_curs_data',
  course: 'demo',
  chat: 'http://127.0.0.1:8082/',
} as const satisfies Omit<DeploymentDescription, 'project'>;

/** One folder serves the stand-ins of both model servers. */
const models = () => {
  const file = hostScript('vllm-model').trim();
  return [{ file }, { file, embeddings: true as const }];
};

/** @param also services that its settings switch on */
export const saigaIn = (project: string, also: readonly string[] = []): Deployment =>
  new Deployment({ ...SAIGA, services: [...SAIGA.services, ...also], project, models: models() });
export const prodIn = (project: string): Deployment => new Deployment({ ...PROD, project, models: models() });
