import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { RagdockError } from '../errors/problem.js';
import { OpenAiEmbedder } from '../rag/embeddings/openai-embedder.js';
import type { Credential } from '../rag/ports.js';
import type { Language } from '../rag/retrieval/qdrant-layout.js';
import type { Searched, Searcher, SearchInput, SearchProgress } from './judged.js';
import { QdrantSearcher } from './qdrant-searcher.js';

/** How old the collection of a run of this kind has to be before another run removes it, in milliseconds. */
const LEFTOVER_MS = 24 * 3600 * 1000;

/** Runs of this kind begin so: those of sessions are known to be alive or not, these are known by their age alone. */
const RUN_PREFIX = 'url-';

const EMBED_TIMEOUT_MS = 120_000;

/** A Qdrant that this machine reaches, whoever runs it. */
export interface UrlSearcherOptions {
  readonly qdrantUrl: string;
  /** @default - it asks for none */
  readonly qdrantKey?: string | undefined;
  readonly language: Language;
  /** A server with `/v1/embeddings`. @default - BM25 alone */
  readonly embeddings?: EmbeddingsAccess | undefined;
  /** Passages among which a gate looks. @default - nothing is told of what a gate looks at */
  readonly limit?: number | undefined;
  readonly signal: AbortSignal;
}

export interface EmbeddingsAccess {
  readonly url: string;
  readonly model: string;
  readonly dimension: number;
  /** @default - it asks for none */
  readonly key?: string | undefined;
}

/** Searches a collection of its own in a Qdrant whose address is known. */
export class UrlSearcher implements Searcher {
  readonly #options: UrlSearcherOptions;

  constructor(options: UrlSearcherOptions) {
    this.#options = options;
  }

  /** @throws RagdockError MEASURING_FAILED */
  async search(input: SearchInput, tell: (progress: SearchProgress) => void): Promise<Searched> {
    const { qdrantUrl, qdrantKey = '', language, embeddings, limit, signal } = this.#options;
    const searcher = new QdrantSearcher({
      url: qdrantUrl,
      credential: fixed(qdrantKey),
      run: `${RUN_PREFIX}${Date.now()}-${process.pid}`,
      isLeftover: (run) => Date.now() - beginOf(run) > LEFTOVER_MS,
      language,
      embedding: embeddings,
      limit,
      openEmbedder: async () => embeddings && embedderOf(embeddings),
      signal,
    });
    try {
      return await searcher.search(input, tell);
    } catch (error) {
      if (error instanceof RagdockError || signal.aborted) throw error;
      throw new RagdockError({ code: 'MEASURING_FAILED', message: (error as Error).message }, { cause: error });
    }
  }
}

/** A key as a file holds it, without the end of its line. Throws FILE_UNREADABLE. */
export function keyIn(file: string, cwd: string): string {
  try {
    return readFileSync(resolve(cwd, file), 'utf8').trim();
  } catch (cause) {
    throw new RagdockError({ code: 'FILE_UNREADABLE', file, message: (cause as Error).message }, { cause });
  }
}

function embedderOf({ url, model, dimension, key }: EmbeddingsAccess): OpenAiEmbedder {
  const credential = key === undefined ? undefined : fixed(key);
  return new OpenAiEmbedder({ url, model, dimension, credential, timeoutMs: EMBED_TIMEOUT_MS });
}

const fixed = (key: string): Credential => ({ current: () => key, refresh: async () => key });

/** When a run began, in milliseconds; one that is not of this kind never did. */
function beginOf(run: string): number {
  const [, began] = new RegExp(`^${RUN_PREFIX}(\\d+)-`).exec(run) ?? [];
  return began === undefined ? Number.POSITIVE_INFINITY : Number(began);
}
