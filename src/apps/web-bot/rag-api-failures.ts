import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { Failure, type FailureCode } from './failures.js';

/** Codes of the API that say more to a reader than their status does. */
const CODES: Readonly<Record<string, FailureCode>> = {
  BUSY: 'api_overloaded',
  KEY_BUSY: 'api_overloaded',
  ADDRESS_BUSY: 'address_busy',
  RATE_LIMITED: 'rate_limited',
  LLM_BUSY: 'api_overloaded',
  STOPPING: 'restarting',
  QUESTION_TOO_LONG: 'message_too_long',
  RETRIEVAL_UNAVAILABLE: 'knowledge_unavailable',
};

const Problem = z.object({ code: z.string().regex(/^[\w.-]{1,64}$/) });

/** A response that is no answer, read to its end so that its connection can be used again. */
export async function statusFailure({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Failure> {
  const detail: Record<string, string | number> = { status: statusCode };
  let code = codeOfStatus(statusCode);
  if (String(headers['content-type'] ?? '').startsWith('application/problem+json')) {
    const problem = Problem.safeParse(await body.json().catch(() => undefined));
    if (problem.success) {
      detail.apiCode = problem.data.code;
      code = CODES[problem.data.code] ?? code;
    }
  } else {
    await body.dump();
  }
  return new Failure(code, detail);
}

function codeOfStatus(status: number): FailureCode {
  switch (status) {
    case 400:
    case 422:
      return 'api_rejected';
    case 401:
    case 403:
      return 'api_key_rejected';
    case 413:
      return 'message_too_long';
    case 429:
      return 'api_overloaded';
    case 502:
    case 503:
      return 'api_unavailable';
    case 504:
      return 'api_timeout';
    default:
      // What is left of 5xx is a fault of the API; a redirect or another 4xx means that we talk to something else.
      return status >= 500 ? 'api_failed' : 'api_mismatch';
  }
}

/** An error of the connection before the response's headers. */
export function connectionFailure(error: unknown): Failure {
  const code = codeProperty(error);
  return new Failure(
    code === 'UND_ERR_HEADERS_TIMEOUT' ? 'api_timeout' : 'api_unreachable',
    { error: code },
    { cause: error },
  );
}

const BODY_FAILURES: Readonly<Record<string, FailureCode>> = {
  UND_ERR_BODY_TIMEOUT: 'answer_stalled',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'answer_too_long',
};

/** An error of the connection inside the answer. Whatever it is, the answer is not whole. */
export function answerFailure(error: unknown): Failure {
  const code = codeProperty(error);
  return new Failure(BODY_FAILURES[code] ?? 'answer_truncated', { error: code }, { cause: error });
}

function codeProperty(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
