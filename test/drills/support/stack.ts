import { join } from 'node:path';
import type { Deployment } from '../../deploy/support/deployment.js';
import type { Target } from './questions.js';

export interface DrillSettings {
  /** Port of the host on which the questions reach the API. */
  readonly apiPort: number;
  /** How long the old key goes on, short enough for a test to wait for its end. */
  readonly keyOverlapSeconds: number;
  /** How long a token opens a chat, and the key goes on that has signed it. */
  readonly sessionSeconds: number;
}

/** Deploy from nothing what the drills are run on, with one document. */
export async function bringUp(
  deployment: Deployment,
  { apiPort, keyOverlapSeconds, sessionSeconds }: DrillSettings,
): Promise<void> {
  const { name, project, engine, importModels, ingest } = deployment;
  project.setSetting(['services', 'api', 'publish'], { port: apiPort });
  project.setSetting(['services', 'api', 'keyOverlapSeconds'], keyOverlapSeconds);
  // The drill asks from one address, and as fast as it is answered.
  project.setSetting(['services', 'api', 'limits', 'questionsPerMinute'], 100_000);
  project.setSetting(['services', 'webBot', 'limits', 'sessionSeconds'], sessionSeconds);
  await project.ragdock('lock', name);
  await project.ragdock('secrets', 'init', name);
  await importModels();
  await project.deploy();
  await engine.allHealthy(600);
  await ingest();
}

/** Where the questions go, with the key that this machine has stored. */
export const targetOf = ({ project, description }: Deployment, apiPort: number): Target => ({
  api: `http://127.0.0.1:${apiPort}`,
  keyFile: join(project.secretsFolder, 'rag-api-key'),
  chat: description.chat,
  course: description.course,
});
