import type { ProblemCode } from './problems.js';

/** One operation of the API: what its route, its description and the answer to other methods are made from. */
export interface Operation {
  readonly method: 'get' | 'post';
  /** As OpenAPI writes it: `/exchanges/{id}`. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  /** Whether it asks for a key. */
  readonly guarded: boolean;
  /** Problems that it answers with, beside those of {@link ANYWHERE}. */
  readonly problems: readonly ProblemCode[];
}

/** Problems that any request can meet. */
export const ANYWHERE: readonly ProblemCode[] = [
  'REQUEST_INVALID',
  'REQUEST_TIMEOUT',
  'BODY_TOO_LARGE',
  'HEADERS_TOO_LARGE',
  'INTERNAL',
];

/** Problems of requests that belong to no operation. */
export const NOWHERE: readonly ProblemCode[] = ['NOT_FOUND', 'METHOD_NOT_ALLOWED'];

export const OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/process_message',
    id: 'processMessage',
    summary: 'Ask a question; the answer is streamed',
    guarded: true,
    problems: [
      'BODY_INVALID',
      'MEDIA_TYPE_UNSUPPORTED',
      'INPUT_INVALID',
      'QUESTION_TOO_LONG',
      'RATE_LIMITED',
      'ADDRESS_BUSY',
      'KEY_BUSY',
      'BUSY',
      'STOPPING',
      'RETRIEVAL_UNAVAILABLE',
      'HISTORY_UNAVAILABLE',
      'LLM_UNAVAILABLE',
      'LLM_BUSY',
      'LLM_FAILED',
      'LLM_TIMEOUT',
    ],
  },
  {
    method: 'get',
    path: '/exchanges/{id}',
    id: 'getExchange',
    summary: 'One saved exchange, with its sources',
    guarded: true,
    problems: ['EXCHANGE_NOT_FOUND', 'HISTORY_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: '/healthz',
    id: 'isAlive',
    summary: 'Whether the process runs',
    guarded: false,
    problems: [],
  },
  {
    method: 'get',
    path: '/readyz',
    id: 'isReady',
    summary: 'Whether history, retrieval and model answer',
    guarded: false,
    problems: [],
  },
  {
    method: 'get',
    path: '/openapi.json',
    id: 'getDescription',
    summary: 'This document, with the courses and limits of the installation',
    guarded: false,
    problems: [],
  },
];

/** The methods that an address takes, as the header Allow names them; none where there is nothing. */
export function methodsAt(path: string): readonly string[] {
  const found = OPERATIONS.filter((operation) => patternOf(operation.path).test(path));
  return found.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`);
}
