import { request } from 'undici';
import { z } from 'zod';
import { abortReason, codeOf } from '../failure.js';
import { keptConnections, onceMore } from '../kept-connections.js';
import type { Credential, Embedder } from '../ports.js';
import { retry } from '../retry.js';

/** Longest wait for a TCP connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 2000;

/** The longest pause before a busy server is asked again, in milliseconds. */
const LONGEST_PAUSE_MS = 500;

/** Longest part of an error body that is kept, in characters. */
const LONGEST_MESSAGE = 300;

export type EmbeddingErrorKind =
  | 'unreachable'
  | 'unauthorised'
  | 'timeout'
  | 'busy'
  | 'unavailable'
  | 'refused'
  | 'mismatch';

/** The embedding server gave no vectors, or not those that were expected. */
export class EmbeddingError extends Error {
  override readonly name = 'EmbeddingError';

  constructor(
    readonly kind: EmbeddingErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Whether the same texts may succeed later. */
  get transient(): boolean {
    return this.kind !== 'refused' && this.kind !== 'mismatch' && this.kind !== 'unauthorised';
  }
}

export interface OpenAiEmbedderOptions {
  /** Base address, with or without `/v1`. */
  readonly url: string;
  readonly model: string;
  /** Numbers in one vector; a server that gives others is refused. */
  readonly dimension: number;
  /** @default - no Authorization header */
  readonly credential?: Credential | undefined;
  /** Most texts of one request. @default 32, which is text-embeddings-inference's own limit */
  readonly batch?: number;
  /** Longest wait for one request, in milliseconds. */
  readonly timeoutMs: number;
}

const Answer = z.object({
  data: z.array(z.object({ index: z.int(), embedding: z.array(z.number()) })),
});

/** Any server with `POST /v1/embeddings`: text-embeddings-inference, vLLM with `--runner pooling`, or a hosted one. */
export class OpenAiEmbedder implements Embedder {
  readonly #options: OpenAiEmbedderOptions;
  readonly #url: string;
  readonly #agent = keptConnections({ connectMs: CONNECT_TIMEOUT_MS });

  constructor(options: OpenAiEmbedderOptions) {
    this.#options = options;
    this.#url = `${options.url.replace(/\/+$/, '').replace(/\/v1$/, '')}/v1/embeddings`;
  }

  get model(): string {
    return this.#options.model;
  }

  get dimension(): number {
    return this.#options.dimension;
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<readonly (readonly number[])[]> {
    const { batch = 32 } = this.#options;
    const vectors: (readonly number[])[] = [];
    for (let start = 0; start < texts.length; start += batch) {
      vectors.push(...(await this.#within(texts.slice(start, start + batch), signal)));
    }
    return vectors;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #within(texts: readonly string[], caller: AbortSignal): Promise<readonly (readonly number[])[]> {
    const { timeoutMs } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const signal = AbortSignal.any([caller, timeout]);
      // Half of the time is left for the answer to the last attempt.
      return await retry(() => this.#attempts(texts, signal), {
        deadlineMs: timeoutMs / 2,
        maxWaitMs: LONGEST_PAUSE_MS,
        isTransient: (error) => error instanceof EmbeddingError && error.kind === 'busy',
        signal,
      });
    } catch (error) {
      if (caller.aborted) throw abortReason(caller);
      if (timeout.aborted) {
        throw new EmbeddingError('timeout', `the embedding server did not answer within ${timeoutMs} ms`);
      }
      throw error;
    }
  }

  /** A connection that broke, or a key that was refused, is worth a second attempt: the call changes nothing. */
  async #attempts(texts: readonly string[], signal: AbortSignal): Promise<readonly (readonly number[])[]> {
    const { credential } = this.#options;
    let key = credential?.current();
    const ask = () => {
      key = credential?.current();
      return this.#ask(texts, key, signal);
    };
    try {
      return await onceMore(ask, isBroken, signal);
    } catch (error) {
      const refused = error instanceof EmbeddingError && error.kind === 'unauthorised';
      if (!refused || !credential || key === undefined || signal.aborted) throw error;
      return this.#ask(texts, await credential.refresh(key), signal);
    }
  }

  async #ask(
    texts: readonly string[],
    key: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly (readonly number[])[]> {
    const { model } = this.#options;
    let status: number;
    let text: string;
    try {
      const response = await request(this.#url, {
        dispatcher: this.#agent,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({ model, input: texts, encoding_format: 'float' }),
        signal,
      });
      status = response.statusCode;
      text = await response.body.text();
    } catch (cause) {
      throw new EmbeddingError('unreachable', `the embedding server cannot be reached: ${codeOf(cause)}`, { cause });
    }
    if (status !== 200) throw refusal(status, text);
    return this.#vectorsIn(text, texts.length);
  }

  #vectorsIn(text: string, count: number): readonly (readonly number[])[] {
    const { model, dimension } = this.#options;
    const parsed = Answer.safeParse(parseJson(text));
    if (!parsed.success)
      throw new EmbeddingError('refused', 'what answered is no embedding server', { cause: parsed.error });
    const vectors = [...parsed.data.data].sort((a, b) => a.index - b.index).map(({ embedding }) => embedding);
    if (vectors.length !== count) {
      throw new EmbeddingError('refused', `${count} texts gave ${vectors.length} vectors`);
    }
    const other = vectors.find((vector) => vector.length !== dimension);
    if (other) {
      const message = `${model} was said to make vectors of ${dimension} numbers, and this one has ${other.length}`;
      throw new EmbeddingError('mismatch', message);
    }
    return vectors;
  }
}

const isBroken = (error: unknown): boolean => error instanceof EmbeddingError && error.kind === 'unreachable';

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(status: number, text: string): EmbeddingError {
  const message = `the embedding server answered with ${status}: ${text.slice(0, LONGEST_MESSAGE)}`;
  if (status === 401 || status === 403) return new EmbeddingError('unauthorised', message);
  // The server takes no more texts at the moment; it says so by 429, and vLLM by 503.
  if (status === 429 || status === 503) return new EmbeddingError('busy', message);
  return new EmbeddingError(status >= 500 || status === 424 ? 'unavailable' : 'refused', message);
}
