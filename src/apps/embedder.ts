import { OpenAiEmbedder } from '../rag/embeddings/openai-embedder.js';
import type { Embedder } from '../rag/ports.js';
import type { Embedding } from '../rag/retrieval/qdrant-layout.js';
import { FileCredential } from './secret-file.js';

/** Where an embedding server is, as variables of a container say it. */
export interface EmbedderAccess {
  /** @default - there is none */
  readonly url?: string | undefined;
  /** Path of its key without version. @default - it asks for no key */
  readonly keyFile?: string | undefined;
  /** Longest wait for one request, in milliseconds. */
  readonly timeoutMs: number;
}

/** The embedding server of an app; undefined when it was given none. */
export async function openEmbedder(
  model: Embedding | undefined,
  { url, keyFile, timeoutMs }: EmbedderAccess,
): Promise<Embedder | undefined> {
  if (!model || url === undefined) return undefined;
  const credential = keyFile === undefined ? undefined : await FileCredential.open(keyFile);
  return new OpenAiEmbedder({ url, model: model.model, dimension: model.dimension, credential, timeoutMs });
}
