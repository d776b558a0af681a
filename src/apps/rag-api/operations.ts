import type { ProblemCode } from './problems.js';

/** One operation of the API: what its route, its description and the answer to other methods are made from. */
export interface Operation {
  readonly method: 'get' | 'post' | 'delete';
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

/** Problems of what has a body. */
const OF_BODIES: readonly ProblemCode[] = ['BODY_INVALID', 'MEDIA_TYPE_UNSUPPORTED'];

/** Problems of whatever asks the model. */
const OF_ANSWERS: readonly ProblemCode[] = [
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
];

export const OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/process_message',
    id: 'processMessage',
    summary: 'Ask a question; the answer is streamed',
    guarded: true,
    problems: ['INPUT_INVALID', ...OF_BODIES, ...OF_ANSWERS],
  },
  {
    method: 'get',
    path: '/exchanges/{id}',
    id: 'getExchange',
    summary: 'One saved exchange, with its sources',
    guarded: true,
    problems: ['EXCHANGE_NOT_FOUND', 'RATE_LIMITED', 'HISTORY_UNAVAILABLE'],
  },
  {
    method: 'post',
    path: '/exchanges/{id}/feedback',
    id: 'giveFeedback',
    summary: 'What the user thought of an answer; the last word counts',
    guarded: true,
    problems: ['INPUT_INVALID', ...OF_BODIES, 'EXCHANGE_NOT_FOUND', 'RATE_LIMITED', 'HISTORY_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: '/history',
    id: 'listExchanges',
    summary: 'The exchanges of a user, the newest first',
    guarded: true,
    problems: ['FORBIDDEN', 'INPUT_INVALID', 'RATE_LIMITED', 'HISTORY_UNAVAILABLE'],
  },
  {
    method: 'delete',
    path: '/users/{name}',
    id: 'forgetUser',
    summary: 'Remove everything of a user: exchanges, feedback, and what was learned from them',
    guarded: true,
    problems: ['FORBIDDEN', 'INPUT_INVALID', ...OF_BODIES, 'RATE_LIMITED', 'HISTORY_UNAVAILABLE', 'ERASURE_INCOMPLETE'],
  },
  {
    method: 'post',
    path: '/v1/chat/completions',
    id: 'createChatCompletion',
    summary: 'Ask a question by the OpenAI protocol; the model is the course',
    guarded: true,
    problems: ['INPUT_INVALID', ...OF_BODIES, 'MODEL_NOT_FOUND', ...OF_ANSWERS],
  },
  {
    method: 'get',
    path: '/v1/models',
    id: 'listModels',
    summary: 'The courses, as models of the OpenAI protocol',
    guarded: true,
    problems: [],
  },
  {
    method: 'get',
    path: '/v1/models/{model}',
    id: 'getModel',
    summary: 'One course, as a model of the OpenAI protocol',
    guarded: true,
    problems: ['MODEL_NOT_FOUND'],
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
