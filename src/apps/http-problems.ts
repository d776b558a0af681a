import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** One kind of problem, as RFC 9457 wants it told. */
export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** Given in the header Retry-After. */
  readonly retryAfterSeconds?: number;
}

/** Problems of HTTP itself, which every app answers alike, by stable code. */
export const HTTP_PROBLEMS = {
  REQUEST_INVALID: { status: 400, title: 'The request is malformed' },
  NOT_FOUND: { status: 404, title: 'There is nothing at this address' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The address does not take this method' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is larger than is accepted' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are larger than is accepted' },
  INTERNAL: { status: 500, title: 'The service met a fault of its own' },
} as const satisfies Record<string, ProblemKind>;

export type HttpProblemCode = keyof typeof HTTP_PROBLEMS;

/** Content type of every problem document. */
export const PROBLEM_TYPE = 'application/problem+json';

/** A problem as RFC 9457 writes it, with our code and, where there is one, the id under which the log has the cause. */
export function problemBody(
  code: string,
  { status, title }: ProblemKind,
  more: { readonly request_id?: string; readonly errors?: readonly object[] } = {},
): object {
  return { type: `urn:ragdock:problem:${code.toLowerCase().replaceAll('_', '-')}`, title, status, code, ...more };
}

/** Node's names for what its parser refuses; all others are malformed requests. */
const CODE_OF_PARSER: Readonly<Record<string, HttpProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'BODY_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

/**
 * Answers what never became a request, and closes its connection. What the parser says about it stays here: it would
 * tell a stranger what we run.
 */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  // Where an answer has begun, these bytes would become a part of it.
  const answer = (socket as { _httpMessage?: { headersSent: boolean } })._httpMessage;
  if (socket.writable && error.code !== 'ECONNRESET' && answer?.headersSent !== true) {
    socket.write(malformedResponse(CODE_OF_PARSER[error.code ?? ''] ?? 'REQUEST_INVALID'));
  }
  socket.destroy();
}

function malformedResponse(code: HttpProblemCode): string {
  const kind = HTTP_PROBLEMS[code];
  const body = JSON.stringify(problemBody(code, kind));
  return [
    `HTTP/1.1 ${kind.status} ${STATUS_CODES[kind.status]}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
