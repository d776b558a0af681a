import { z } from 'zod';
import type { RagFailureKind } from '../../rag/failure.js';
import { HTTP_PROBLEMS, type ProblemKind, problemBody } from '../http-problems.js';

/** Every problem that the API answers with, by stable code. Clients may depend on the codes. */
export const PROBLEMS = {
  ...HTTP_PROBLEMS,
  UNAUTHORIZED: { status: 401, title: 'The request carries no valid key' },
  FORBIDDEN: { status: 403, title: 'This key opens no histories of users' },
  MODEL_NOT_FOUND: { status: 404, title: 'There is no such model; each course is one' },
  EXCHANGE_NOT_FOUND: { status: 404, title: 'There is no such exchange' },
  BODY_INVALID: { status: 400, title: 'The body is not JSON' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, title: 'The body must be application/json' },
  INPUT_INVALID: { status: 422, title: 'A field of the request has a value that is not accepted' },
  QUESTION_TOO_LONG: { status: 422, title: 'The question leaves no room in the context of the model' },
  RATE_LIMITED: { status: 429, title: 'This address has asked too many questions in the last minute' },
  ADDRESS_BUSY: { status: 429, title: 'Too many answers are being streamed to this address', retryAfterSeconds: 5 },
  KEY_BUSY: { status: 429, title: 'Too many answers are being streamed for this key', retryAfterSeconds: 5 },
  BUSY: { status: 503, title: 'Too many answers are being streamed', retryAfterSeconds: 5 },
  STOPPING: { status: 503, title: 'The service is stopping', retryAfterSeconds: 5 },
  RETRIEVAL_UNAVAILABLE: { status: 503, title: 'The collections cannot be searched', retryAfterSeconds: 10 },
  HISTORY_UNAVAILABLE: { status: 503, title: 'The history cannot be read or written', retryAfterSeconds: 10 },
  ERASURE_INCOMPLETE: {
    status: 503,
    title: 'Not everything of this user could be removed; ask for it again',
    retryAfterSeconds: 10,
  },
  LLM_UNAVAILABLE: { status: 503, title: 'The model server cannot be reached', retryAfterSeconds: 10 },
  LLM_BUSY: { status: 503, title: 'The model server takes no more requests', retryAfterSeconds: 5 },
  LLM_FAILED: { status: 502, title: 'The model server gave no answer' },
  LLM_TIMEOUT: { status: 504, title: 'The model server did not answer in time' },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One field of a request that is not accepted. */
const FieldProblem = z.strictObject({ field: z.string(), message: z.string() });
export type FieldProblem = z.output<typeof FieldProblem>;

/** A problem as clients get it. */
export const ProblemDocument = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int().min(400).max(599),
  code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
  request_id: z.string().optional().describe('Under this id the log has the cause; missing for what was no request'),
  errors: z.array(FieldProblem).min(1).optional().describe('The fields that are not accepted'),
});

/** Thrown by handlers; becomes the response. What a client must not see belongs in `cause`. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly fields: readonly FieldProblem[];
  /** @default - what the catalogue says */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: ProblemCode,
    {
      fields = [],
      retryAfterSeconds,
      ...options
    }: ErrorOptions & { readonly fields?: readonly FieldProblem[]; readonly retryAfterSeconds?: number } = {},
  ) {
    super(PROBLEMS[code].title, options);
    this.fields = fields;
    this.retryAfterSeconds = retryAfterSeconds ?? (PROBLEMS[code] as ProblemKind).retryAfterSeconds;
  }
}

/** A problem of one request, as its response has it. */
export function problemDocument(code: ProblemCode, requestId: string, fields: readonly FieldProblem[] = []): object {
  return problemBody(code, PROBLEMS[code], { request_id: requestId, ...(fields.length > 0 ? { errors: fields } : {}) });
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
