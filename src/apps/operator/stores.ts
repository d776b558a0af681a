import type { Embedder } from '../../rag/ports.js';
import type { Embedding } from '../../rag/retrieval/qdrant-layout.js';
import { openEmbedder } from '../embedder.js';
import { FileCredential } from '../secret-file.js';
import { readVariables } from '../settings-file.js';

/** Variables of a session's container that works with collections: where Qdrant is, and what makes their vectors. */
export const STORE_VARIABLES = {
  qdrantUrl: 'QDRANT_URL',
  qdrantKeyFile: 'QDRANT_API_KEY_FILE',
  embeddingsUrl: 'EMBEDDINGS_URL',
  embeddingsKeyFile: 'EMBEDDINGS_API_KEY_FILE',
} as const;

/** Longest wait for the vectors of one batch, in milliseconds: a processor takes its time, and others may be before it. */
const EMBED_TIMEOUT_MS = 120_000;

/** What the variables lead to. */
export interface Stores {
  readonly qdrantUrl: string;
  openCredential(): Promise<FileCredential>;
  /** Undefined when there is no model, or no server was named. */
  openEmbedder(model: Embedding | undefined): Promise<Embedder | undefined>;
}

/** @throws RagdockError for variables that are missing or wrong */
export function storesOf(environment: NodeJS.ProcessEnv): Stores {
  const { qdrantUrl, qdrantKeyFile, embeddingsUrl, embeddingsKeyFile } = readVariables(environment, STORE_VARIABLES, {
    qdrantUrl: 'http-url',
    qdrantKeyFile: 'path',
    embeddingsUrl: 'optional-http-url',
    embeddingsKeyFile: 'optional-path',
  });
  return {
    qdrantUrl,
    openCredential: () => FileCredential.open(qdrantKeyFile),
    openEmbedder: (model) =>
      openEmbedder(model, { url: embeddingsUrl, keyFile: embeddingsKeyFile, timeoutMs: EMBED_TIMEOUT_MS }),
  };
}
