import type { Dispatcher } from 'undici';
import { codeOf, RagFailure, type RagFailureKind } from '../failure.js';

/** How vLLM ("maximum context length is …") and llama.cpp ("exceeds the available context size") refuse a prompt. */
const CONTEXT_EXCEEDED = /maximum context length|context (size|window|length) .*exceed|exceeds? .*context/i;

/** Longest part of an error body that is read, in characters. */
const LONGEST_MESSAGE = 500;

/** A response other than 200 as a failure. Reads the body, so that its connection is free again. */
export async function describeRefusal(response: Dispatcher.ResponseData): Promise<RagFailure> {
  const status = response.statusCode;
  const message = messageOf(await response.body.text().catch(() => ''));
  return new RagFailure(kindOf(status, message), `the model server answered ${status}: ${message}`);
}

function kindOf(status: number, message: string): RagFailureKind {
  if (status === 400 && CONTEXT_EXCEEDED.test(message)) return 'llm-context';
  if (status === 429 || status === 503) return 'llm-busy';
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

/** An error below HTTP as a failure. */
export function failureOfTransport(cause: unknown): RagFailure {
  if (cause instanceof RagFailure) return cause;
  const code = codeOf(cause);
  // Refused, unknown host, unreachable: nothing was asked. Anything later broke an exchange that had begun.
  const unavailable = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/.test(
    code,
  );
  return unavailable
    ? new RagFailure('llm-unavailable', `the model server cannot be reached: ${code}`, { cause })
    : new RagFailure('llm-failed', `the connection to the model server broke: ${code}`, { cause });
}
