import type { RagFailureKind } from '../../rag/failure.js';

/** Every problem that the API answers with, by stable code. Clients may depend on the codes. */
export const PROBLEMS = {
  UNAUTHORIZED: { status: 401, title: 'The request carries no valid key' },
  NOT_FOUND: { status: 404, title: 'There is nothing at this address' },
  EXCHANGE_NOT_FOUND: { status: 404, title: 'There is no such exchange' },
  BODY_INVALID: { status: 400, title: 'The body is not JSON' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is larger than 64 KiB' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, title: 'The body must be application/json' },
  REQUEST_INVALID: { status: 400, title: 'The request is malformed' },
  INPUT_INVALID: { status: 422, title: 'A field of the request has a value that is not accepted' },
  QUESTION_TOO_LONG: { status: 422, title: 'The question leaves no room in the context of the model' },
  BUSY: { status: 503, title: 'Too many answers are being streamed', retryAfterSeconds: 5 },
  STOPPING: { status: 503, title: 'The service is stopping', retryAfterSeconds: 5 },
  RETRIEVAL_UNAVAILABLE: { status: 503, title: 'The collections cannot be searched', retryAfterSeconds: 10 },
  HISTORY_UNAVAILABLE: { status: 503, title: 'Exchanges cannot be read', retryAfterSeconds: 10 },
  LLM_UNAVAILABLE: { status: 503, title: 'The model server cannot be reached', retryAfterSeconds: 10 },
  LLM_BUSY: { status: 503, title: 'The model server takes no more requests', retryAfterSeconds: 5 },
  LLM_FAILED: { status: 502, title: 'The model server gave no answer' },
  LLM_TIMEOUT: { status: 504, title: 'The model server did not answer in time' },
  INTERNAL: { status: 500, title: 'The service met a fault of its own' },
} as const satisfies Record<string, ProblemKind>;

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** Given in the header Retry-After. */
  readonly retryAfterSeconds?: number;
}

export type ProblemCode = keyof typeof PROBLEMS;

/** One field of a request that is not accepted. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

/** Thrown by handlers; becomes the response. What a client must not see belongs in `cause`. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';

  constructor(
    readonly code: ProblemCode,
    readonly fields: readonly FieldProblem[] = [],
    options?: ErrorOptions,
  ) {
    super(PROBLEMS[code].title, options);
  }
}

/** A problem as RFC 9457 writes it, with our code and the id under which the log has the cause. */
export function problemDocument(code: ProblemCode, requestId: string, fields: readonly FieldProblem[] = []): object {
  const { status, title } = PROBLEMS[code];
  return {
    type: `urn:ragdock:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    code,
    request_id: requestId,
    ...(fields.length > 0 ? { errors: fields } : {}),
  };
}

/** The code that a failure of the pipeline has in the API. */
export const CODE_OF_FAILURE: Readonly<Record<RagFailureKind, ProblemCode>> = {
  'llm-unavailable': 'LLM_UNAVAILABLE',
  'llm-busy': 'LLM_BUSY',
  'llm-timeout': 'LLM_TIMEOUT',
  'llm-context': 'QUESTION_TOO_LONG',
  'llm-failed': 'LLM_FAILED',
  'retrieval-unavailable': 'RETRIEVAL_UNAVAILABLE',
  'history-unavailable': 'HISTORY_UNAVAILABLE',
};
