import { Deployment, type DeploymentDescription } from './deployment.js';

/** What is said of `dev` wherever it is deployed; the engine and the folder are added. */
export const DEV = {
  name: 'dev',
  services: ['llm-main', 'node-exporter', 'postgres', 'prometheus', 'qdrant', 'rag-api', 'web-bot'],
  dataVolumes: ['llm-main-models', 'postgres-data', 'prometheus-data', 'qdrant-data', 'qdrant-snapshots'],
  llm: { service: 'llm-main', port: 8080, model: 'SmolLM2-135M-Instruct' },
  collection: 'BD_curs_data',
  course: 'demo',
  chat: 'http://127.0.0.1:8080/',
} as const satisfies Omit<DeploymentDescription, 'project'>;

/** `dev` on the engine of the test host. */
export const devIn = (project: string, modelFile: string): Deployment =>
  new Deployment({ ...DEV, project, models: [{ file: modelFile }] });
