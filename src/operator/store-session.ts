import type Docker from 'dockerode';
import { STORE_VARIABLES } from '../apps/operator/stores.js';
import { newRun } from './session.js';
import { SessionAccess } from './session-access.js';
import { planSession, type SessionConnection, type SessionNeeds, type SessionPlan } from './session-plan.js';
import { type DescribedStack, deployedAppsImage, readInventory, requireRunning } from './stack.js';

export interface StoreSessionNeeds extends Omit<SessionNeeds, 'connections'> {
  /** Whether vectors are made, for which the embedding server has to run. */
  readonly vectors: boolean;
}

/**
 * A session that works with collections: beside Qdrant, and beside the embedding server of the stack where vectors are
 * made.
 *
 * @throws RagdockError STACK_NOT_DEPLOYED
 */
export async function planStoreSession(
  docker: Docker,
  stack: DescribedStack,
  { vectors, ...needs }: StoreSessionNeeds,
): Promise<{ readonly plan: SessionPlan; readonly run: string }> {
  const { services, topology } = stack;
  const { qdrantUrl, qdrantKeyFile, embeddingsUrl, embeddingsKeyFile } = STORE_VARIABLES;
  const inventory = await readInventory(docker);
  const embeddings = vectors ? services.embeddings : undefined;
  requireRunning(topology, inventory, [services.qdrant, ...(embeddings ? [embeddings] : [])]);
  const connections: readonly SessionConnection[] = [
    { endpoint: services.qdrant.http, url: qdrantUrl, credential: qdrantKeyFile },
    ...(embeddings ? [{ endpoint: embeddings.http, url: embeddingsUrl, credential: embeddingsKeyFile }] : []),
  ];
  const endpoints = connections.map(({ endpoint }) => endpoint);
  const access = new SessionAccess(topology, endpoints, inventory);
  const run = newRun();
  const image = deployedAppsImage(stack, inventory);
  return { run, plan: planSession(topology, { ...needs, connections }, access, { image, run }) };
}
