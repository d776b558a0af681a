import { inject } from 'vitest';
import type { Deployment } from '../../deploy/support/deployment.js';
import { devIn } from '../../deploy/support/dev.js';
import { prodIn } from '../../deploy/support/stacks.js';

/** A real model on the processor, and no more services than it takes. */
export const dev = devIn(inject('project'), inject('modelFile'));

/** Everything that watches, embeddings, and the stand-in for vLLM. */
export const prod = prodIn(inject('project'));

/** Deploy from nothing, with one document in it; what is deployed already stays as it is. */
export async function bringUp({ name, project, engine, importModels, ingest }: Deployment): Promise<void> {
  if ((await engine.containers()).length > 0) return;
  // What is asked here is whether it answers, and not at what length.
  if (name === 'dev') project.setSetting(['services', 'llm', 'main', 'sampling', 'maxTokens'], 32);
  await project.ragdock('secrets', 'init', name);
  await importModels();
  await project.deploy();
  await engine.allHealthy(600);
  await ingest();
}
