import { Deployment, type DeploymentDescription } from './deployment.js';
import type { Project } from './project.js';

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

/** Short answers, and patience with them: for tests of the way to the model, on a machine that has other work. */
export function answerShortly({ setSetting }: Project): void {
  setSetting(['services', 'llm', 'main', 'sampling', 'maxTokens'], 32);
  setSetting(['services', 'api', 'limits'], { firstTokenSeconds: 300, idleSeconds: 300, totalSeconds: 600 });
}
