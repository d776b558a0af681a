import { request } from 'undici';
import { abortReason, codeOf } from '../failure.js';
import { keptConnections, onceMore } from '../kept-connections.js';
import type { Credential } from '../ports.js';

// The official client (@qdrant/js-client-rest) gives the types of the requests, but not its transport: it keeps idle
// connections for 10 s, which Qdrant closes after 5 s, and no call of it can be aborted.

/** Longest wait for a TCP connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 2000;

const CONNECTIONS = 32;

/** Longest part of an error body that is kept, in characters. */
const LONGEST_MESSAGE = 500;

export type QdrantErrorKind = 'unreachable' | 'unauthorised' | 'timeout' | 'not-found' | 'refused' | 'unavailable';

/** Qdrant did not do what it was asked. */
export class QdrantError extends Error {
  override readonly name = 'QdrantError';

  constructor(
    readonly kind: QdrantErrorKind,
    message: string,
    /** @default - no response came */
    readonly status?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Whether the same call may succeed later. */
  get transient(): boolean {
    return this.kind === 'unreachable' || this.kind === 'timeout' || this.kind === 'unavailable';
  }
}

export interface QdrantCall {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Longest time for the whole call, in milliseconds. */
  readonly timeoutMs: number;
  /** @default - only the timeout ends the call */
  readonly signal?: AbortSignal | undefined;
  /** The call changes nothing, or the same thing again: one that broke may be repeated once. */
  readonly idempotent: boolean;
}

/** Qdrant's REST protocol: key, timeouts, one repetition of what may be repeated, and errors told apart. */
export class QdrantHttp {
  readonly #base: string;
  readonly #credential: Credential;
  readonly #agent = keptConnections({ connectMs: CONNECT_TIMEOUT_MS, connections: CONNECTIONS });

  constructor(url: string, credential: Credential) {
    this.#base = url.replace(/\/+$/, '');
    this.#credential = credential;
  }

  /** The field `result` of the answer. Throws `QdrantError`, or the reason of the signal. */
  async call<T>(call: QdrantCall): Promise<T> {
    const timeout = AbortSignal.timeout(call.timeoutMs);
    const signal = call.signal ? AbortSignal.any([call.signal, timeout]) : timeout;
    try {
      return await this.#attempts<T>(call, signal);
    } catch (error) {
      if (call.signal?.aborted) throw abortReason(call.signal);
      if (timeout.aborted) {
        throw new QdrantError('timeout', `Qdrant did not answer ${call.path} within ${call.timeoutMs} ms`);
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #attempts<T>(call: QdrantCall, signal: AbortSignal): Promise<T> {
    const isBroken = (error: unknown) =>
      call.idempotent && error instanceof QdrantError && error.kind === 'unreachable';
    let key = this.#credential.current();
    const send = () => {
      key = this.#credential.current();
      return this.#send<T>(call, key, signal);
    };
    try {
      return await onceMore(send, isBroken, signal);
    } catch (error) {
      if (!(error instanceof QdrantError) || error.kind !== 'unauthorised') throw error;
      return await this.#send<T>(call, await this.#credential.refresh(key), signal);
    }
  }

  async #send<T>({ method, path, body }: QdrantCall, key: string, signal: AbortSignal): Promise<T> {
    let status: number;
    let text: string;
    try {
      const response = await request(`${this.#base}${path}`, {
        dispatcher: this.#agent,
        method,
        headers: { 'api-key': key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        body: body === undefined ? null : JSON.stringify(body),
        signal,
      });
      status = response.statusCode;
      text = await response.body.text();
    } catch (cause) {
      throw new QdrantError('unreachable', `Qdrant cannot be reached: ${codeOf(cause)}`, undefined, { cause });
    }
    if (status !== 200) throw refusal(path, status, text);
    try {
      return (JSON.parse(text) as { result: T }).result;
    } catch (cause) {
      throw new QdrantError('refused', `what answered ${path} is not Qdrant`, status, { cause });
    }
  }
}

function refusal(path: string, status: number, text: string): QdrantError {
  const message = `Qdrant answered ${path} with ${status}: ${messageOf(text)}`;
  if (status === 401 || status === 403) return new QdrantError('unauthorised', message, status);
  if (status === 404) return new QdrantError('not-found', message, status);
  // 500 is also a full disk and recovery mode, 507 a quota: an operator can end them while a caller waits.
  if (status === 429 || status >= 500) return new QdrantError('unavailable', message, status);
  return new QdrantError('refused', message, status);
}

/** Errors are `{"status":{"error":"…"}}`, but plain text for a bad key and empty for an unknown route. */
function messageOf(text: string): string {
  try {
    const { status } = JSON.parse(text) as { status?: { error?: unknown } };
    if (typeof status?.error === 'string') return status.error.slice(0, LONGEST_MESSAGE);
  } catch {
    // Not JSON; shown as it is.
  }
  return text.slice(0, LONGEST_MESSAGE);
}
