import type { Deployment } from './deployment.js';

/**
 * Variables in which third-party programs get their own key. The script that starts them reads it from its file, so it
 * is in no setting of the container, and /proc shows it to the service's own user and root alone.
 */
const EXPORTED: readonly { readonly service: string; readonly variable: string; readonly why: string }[] = [
  { service: 'qdrant', variable: 'QDRANT__SERVICE__API_KEY', why: 'it has no setting for the file of a key' },
  { service: 'llm', variable: 'VLLM_API_KEY', why: 'vLLM writes every flag and every line of its file into its log' },
  { service: 'embeddings', variable: 'API_KEY', why: 'it has no flag for the file of a key' },
];

/** Where a value may be seen in a process: its container, the variable, and the name of the secret. */
export type SeenKey = readonly [container: string, variable: string, secret: string];

/** The exceptions of a deployment; `llm` is the server that answers. */
export function exportedKeys({ engine, description: { llm } }: Deployment): readonly SeenKey[] {
  return EXPORTED.map(({ service, variable }) => {
    const id = service === 'llm' ? llm.service : service;
    return [engine.nameOf(id), variable, `${id}-api-key`];
  });
}
