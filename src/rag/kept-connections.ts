import { Agent } from 'undici';
import { codeOf } from './failure.js';

/**
 * vLLM, llama.cpp, text-embeddings-inference and Qdrant close an idle connection after 5 s without saying so; this side
 * has to be earlier.
 */
const KEEP_ALIVE_MS = 4000;

export interface KeptConnectionsOptions {
  /** Longest wait for a TCP connection, in milliseconds. */
  readonly connectMs: number;
  /** Most connections at once. @default - as many as there are calls */
  readonly connections?: number;
}

/**
 * The connections to one server, kept between calls. Each client has its own: one server that is slow must not keep
 * calls from another. Limits on headers and body are off, since each client watches its calls itself.
 */
export function keptConnections({ connectMs, connections }: KeptConnectionsOptions): Agent {
  return new Agent({
    ...(connections === undefined ? {} : { connections }),
    connect: { timeout: connectMs },
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/** The server closed a kept connection in the moment in which it was used again. */
export function isStaleConnection(error: unknown): boolean {
  return /^(UND_ERR_SOCKET|ECONNRESET|EPIPE)$/.test(codeOf(error));
}

/**
 * Calls, and once more when the connection broke: it may have been a kept one. For calls that change nothing, or the
 * same thing again.
 *
 * @param isBroken whether the error says so
 */
export async function onceMore<T>(
  call: () => Promise<T>,
  isBroken: (error: unknown) => boolean,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (signal.aborted || !isBroken(error)) throw error;
    return call();
  }
}
