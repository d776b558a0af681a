import type { Dispatcher } from 'undici';
import { codeOf, RagFailure, type RagFailureKind } from '../failure.js';

/** How vLLM ("maximum context length is …") and llama.cpp ("exceeds the available context size") refuse a prompt. */
const CONTEXT_EXCEEDED = /maximum context length|context (size|window|length) .*exceed|exceeds? .*context/i;

/** What vLLM answers with status 500 while it finishes what it has begun, after it was told to stop (recorded of 0.32). */
const STOPPING = /cannot schedule new futures after shutdown/;

/** Longest part of an error body that is read, in characters. */
const LONGEST_MESSAGE = 500;

/**
 * A response other than 200 as a failure. Reads the body, so that its connection is free again.
 *
 * @param hasFreshKey whether it answers a key that was just read anew
 */
export async function describeRefusal(response: Dispatcher.ResponseData, hasFreshKey = false): Promise<RagFailure> {
  const status = response.statusCode;
  const message = messageOf(await response.body.text().catch(() => ''));
  // A server whose key is being rotated has one of the two; it is for its restart, or for ours, to end that.
  const kind = status === 401 && hasFreshKey ? 'llm-unavailable' : kindOf(status, message);
  return new RagFailure(kind, `the model server answered ${status}: ${message}`);
}

function kindOf(status: number, message: string): RagFailureKind {
  if (status === 400 && CONTEXT_EXCEEDED.test(message)) return 'llm-context';
  if (status === 429 || status === 503) return 'llm-busy';
  if (status === 500 && STOPPING.test(message)) return 'llm-unavailable';
  if (status === 502 || status === 504) return 'llm-unavailable';
  return 'llm-failed';
}

/** The message of `{"error":{"message"}}`, `{"error":"…"}`, `{"detail":"…"}`, or of whatever came instead. */
function messageOf(body: string): string {
  try {
    const { error, detail } = JSON.parse(body) as { error?: { message?: unknown } | string; detail?: unknown };
    const message = typeof error === 'string' ? error : (error?.message ?? detail);
    if (typeof message === 'string') return message.slice(0, LONGEST_MESSAGE);
  } catch {
    // Not JSON: a proxy's page or nothing at all; shown as it is.
  }
  return body.slice(0, LONGEST_MESSAGE);
}

/** Refused, unknown host, unreachable: while there is no answer yet, nothing was asked. */
const UNREACHABLE = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/;

/** The other side went away in the middle of an exchange, as a server does that is stopped. */
const BROKEN = /^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET|HPE_INVALID_EOF_STATE)$/;

/**
 * An error below HTTP as a failure.
 *
 * @param answering whether a character of the answer has come. A connection that breaks before is that of a server which
 *   is stopped or replaced, and the same question may be asked again; after it, half an answer was lost.
 */
export function failureOfTransport(cause: unknown, answering: boolean): RagFailure {
  if (cause instanceof RagFailure) return cause;
  const code = codeOf(cause);
  if (!answering && UNREACHABLE.test(code)) {
    return new RagFailure('llm-unavailable', `the model server cannot be reached: ${code}`, { cause });
  }
  const kind = BROKEN.test(code) && !answering ? 'llm-unavailable' : 'llm-failed';
  return new RagFailure(kind, `the connection to the model server broke: ${code}`, { cause });
}
