/**
 * Why a question got no answer, or only part of one. Each kind has one HTTP status and one stable code in the API;
 * what the other side said stays in `cause` and goes to the log, not to the client.
 */
export type RagFailureKind =
  | 'llm-unavailable'
  | 'llm-busy'
  | 'llm-timeout'
  | 'llm-context'
  | 'llm-failed'
  | 'retrieval-unavailable'
  | 'history-unavailable';

export class RagFailure extends Error {
  override readonly name = 'RagFailure';

  constructor(
    readonly kind: RagFailureKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The reason of an abort as an error that can be thrown. */
export function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted', { cause: signal.reason });
}

/** The system's or the library's code of an error, for messages and decisions: `ECONNREFUSED`, `UND_ERR_SOCKET`. */
export function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  // A DOMException, which an AbortSignal gives as its reason, has a number there.
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : error.name;
}
