import { Agent, type Dispatcher, request } from 'undici';
import { z } from 'zod';
import type { ChatMessage, Credential } from '../../rag/ports.js';
import { CLIENT_ADDRESS_HEADER } from '../rag-api/asker.js';
import { type Question, Source } from './events.js';
import { Failure } from './failures.js';
import type { ApiLimits } from './limits.js';
import { answerFailure, connectionFailure, statusFailure } from './rag-api-failures.js';

/** What the chat needs of the RAG API. */
export interface RagApi {
  /**
   * Ask, and return when the answer begins. Fails with a {@link Failure}, or with the signal's reason.
   *
   * @param history - what was said before, oldest first
   * @param clientAddress - IP address of the reader, whom the API counts as its client
   */
  ask(
    question: Question,
    history: readonly ChatMessage[],
    clientAddress: string,
    signal: AbortSignal,
  ): Promise<AnswerStream>;
  /** The passages of an exchange; undefined while the API does not know it yet. */
  sources(exchangeId: string, signal: AbortSignal): Promise<Source[] | undefined>;
  /** What the API says of itself. Never fails: not being reached is an answer too. */
  readiness(signal: AbortSignal): Promise<ApiReadiness>;
}

export type ApiReadiness = 'ready' | 'not_ready' | 'unreachable';

export interface AnswerStream {
  readonly exchangeId: string | null;
  /** How many passages the answer rests on; null when the API does not say. */
  readonly sourceCount: number | null;
  /** Parts of the service that this answer had to do without. */
  readonly degraded: readonly string[];
  /** The answer in pieces as they come, never cut inside a character. Fails unless the answer ended cleanly. */
  readonly pieces: AsyncIterable<string>;
}

const Exchange = z.object({ sources: z.array(Source) });

/** The RAG API over HTTP. */
export class HttpRagApi implements RagApi {
  readonly #base: URL;
  readonly #agent: Agent;

  /**
   * @param url - base URL of the API
   * @param key - read again when the API answers 401
   */
  constructor(
    url: string,
    private readonly key: Credential,
    limits: ApiLimits,
  ) {
    this.#base = new URL(url.endsWith('/') ? url : `${url}/`);
    this.#agent = new Agent({
      connect: { timeout: limits.connectMs },
      headersTimeout: limits.headersMs,
      bodyTimeout: limits.idleMs,
      maxResponseSize: limits.bodyBytes,
      connections: limits.connections,
    });
  }

  async ask(
    question: Question,
    history: readonly ChatMessage[],
    clientAddress: string,
    signal: AbortSignal,
  ): Promise<AnswerStream> {
    const { message, user_name, course, message_id } = question;
    const response = await this.#authorized('process_message', signal, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/plain',
        [CLIENT_ADDRESS_HEADER]: clientAddress,
        // One name for the question in the logs of both.
        'x-request-id': message_id,
      },
      body: JSON.stringify({ message, user_name, course, ...(history.length > 0 ? { history } : {}) }),
    });
    if (response.statusCode !== 200) throw await statusFailure(response);
    if (!header(response, 'content-type').startsWith('text/plain')) {
      await response.body.dump();
      throw new Failure('api_mismatch', { status: 200, expected: 'text/plain' });
    }
    const count = header(response, 'x-rag-sources');
    return {
      exchangeId: header(response, 'x-exchange-id') || null,
      sourceCount: /^\d+$/.test(count) ? Number(count) : null,
      degraded: header(response, 'x-rag-degraded')
        .split(/[\s,]+/)
        .filter(Boolean),
      pieces: decode(response.body, signal),
    };
  }

  async sources(exchangeId: string, signal: AbortSignal): Promise<Source[] | undefined> {
    const response = await this.#authorized(`exchanges/${encodeURIComponent(exchangeId)}`, signal, { method: 'GET' });
    if (response.statusCode === 404) {
      await response.body.dump();
      return undefined;
    }
    if (response.statusCode !== 200) throw await statusFailure(response);
    let exchange: unknown;
    try {
      exchange = await response.body.json();
    } catch (error) {
      throw signal.aborted ? signal.reason : new Failure('api_mismatch', { status: 200 }, { cause: error });
    }
    const parsed = Exchange.safeParse(exchange);
    if (!parsed.success) throw new Failure('api_mismatch', { status: 200 }, { cause: parsed.error });
    return parsed.data.sources;
  }

  async readiness(signal: AbortSignal): Promise<ApiReadiness> {
    try {
      const response = await request(new URL('readyz', this.#base), { dispatcher: this.#agent, signal });
      await response.body.dump();
      return response.statusCode === 200 ? 'ready' : 'not_ready';
    } catch {
      return 'unreachable';
    }
  }

  /** Let go of all connections; requests in flight fail. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** Send with the key, and once more if the API refuses it and there is a newer one: a 401 has not been acted upon. */
  async #authorized(path: string, signal: AbortSignal, options: SendOptions): Promise<Dispatcher.ResponseData> {
    const key = this.key.current();
    const response = await this.#send(path, signal, options, key);
    if (response.statusCode !== 401) return response;
    const newer = await this.#newerKey(key);
    if (newer === key) return response;
    await response.body.dump();
    return this.#send(path, signal, options, newer);
  }

  async #newerKey(refused: string): Promise<string> {
    try {
      return await this.key.refresh(refused);
    } catch (error) {
      throw new Failure('api_key_rejected', { status: 401 }, { cause: error });
    }
  }

  async #send(path: string, signal: AbortSignal, options: SendOptions, key: string): Promise<Dispatcher.ResponseData> {
    signal.throwIfAborted();
    try {
      return await request(new URL(path, this.#base), {
        dispatcher: this.#agent,
        signal,
        ...options,
        headers: { ...options.headers, authorization: `Bearer ${key}` },
      });
    } catch (error) {
      throw signal.aborted ? signal.reason : connectionFailure(error);
    }
  }
}

interface SendOptions {
  readonly method: 'GET' | 'POST';
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

function header(response: Dispatcher.ResponseData, name: string): string {
  const value = response.headers[name];
  return (Array.isArray(value) ? value.join(',') : value) ?? '';
}

async function* decode(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<string> {
  // One decoder for the whole answer: Cyrillic letters have two bytes, and a chunk may end between them.
  const decoder = new TextDecoder();
  try {
    for await (const bytes of body) {
      const piece = decoder.decode(bytes, { stream: true });
      if (piece !== '') yield piece;
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : answerFailure(error);
  }
  const rest = decoder.decode();
  if (rest !== '') yield rest;
}
