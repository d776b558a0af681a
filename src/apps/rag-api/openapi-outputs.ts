import { ExchangeDocument } from './exchange-document.js';
import { OpenAiErrorDocument } from './openai-error.js';
import { COMMON_HEADERS, header, json, reference, schemaOf, TOKEN } from './openapi-parts.js';
import type { Operation } from './operations.js';
import { ProblemDocument } from './problems.js';
import { ReadinessReport } from './readiness.js';
import { ErasureDocument, HistoryDocument } from './record-documents.js';

/** Bodies of responses, by the names that operations refer to. */
export const OUTPUT_SCHEMAS = {
  Exchange: schemaOf(ExchangeDocument),
  History: schemaOf(HistoryDocument),
  Erasure: schemaOf(ErasureDocument),
  Readiness: schemaOf(ReadinessReport),
  Problem: schemaOf(ProblemDocument),
  OpenAiError: schemaOf(OpenAiErrorDocument),
};

/** The headers of an answer. */
const ANSWER_HEADERS = {
  'X-Exchange-Id': header('The exchange is saved under this id; missing when it could not be', {
    type: 'string',
    format: 'uuid',
  }),
  'X-Rag-Sources': header('How many passages the model was given', { type: 'integer', minimum: 0 }, true),
  'X-Rag-Degraded': header(
    'What the answer had to do without, separated by commas: retrieval, embeddings, history',
    TOKEN,
  ),
  'Server-Timing': header(
    'Milliseconds of the stages before the answer, and from the question to the first character',
    TOKEN,
    true,
  ),
};

const text = { schema: { type: 'string' } };

const MODEL = {
  type: 'object',
  properties: { id: TOKEN, object: { const: 'model' }, created: { type: 'integer' }, owned_by: TOKEN },
  required: ['id', 'object', 'created', 'owned_by'],
};

const COMPLETION = {
  type: 'object',
  properties: { id: TOKEN, object: { const: 'chat.completion' }, choices: { type: 'array', minItems: 1, maxItems: 1 } },
  required: ['id', 'object', 'choices', 'usage'],
};

/** What an operation answers with when nothing is wrong. */
export function successOf({ id }: Operation): object {
  switch (id) {
    case 'processMessage':
      return {
        200: {
          description: 'The answer in chunks, as the model gives it. One that breaks off ends without the last chunk.',
          headers: { ...ANSWER_HEADERS, ...COMMON_HEADERS },
          content: { 'text/plain': text },
        },
      };
    case 'createChatCompletion':
      return {
        200: {
          description: 'The answer as an object, or with `stream` as events. Only a complete one ends with [DONE].',
          headers: { ...ANSWER_HEADERS, ...COMMON_HEADERS },
          content: { 'application/json': { schema: COMPLETION }, 'text/event-stream': text },
        },
      };
    case 'listModels': {
      const properties = { object: { const: 'list' }, data: { type: 'array', items: MODEL } };
      return { 200: json('The courses', { type: 'object', properties, required: ['object', 'data'] }) };
    }
    case 'getModel':
      return { 200: json('The course', MODEL) };
    case 'getExchange':
      return { 200: json('The exchange', reference('Exchange')) };
    case 'giveFeedback':
      return { 204: { description: 'It is kept', headers: COMMON_HEADERS } };
    case 'listExchanges':
      return { 200: json('A page of them', reference('History')) };
    case 'forgetUser':
      return { 200: json('Nothing of this user is left', reference('Erasure')) };
    case 'isReady':
      return {
        200: json('All answer', reference('Readiness')),
        503: json('One does not answer', reference('Readiness')),
      };
    case 'isAlive':
      return {
        200: json('It runs', { type: 'object', properties: { status: { const: 'ok' } }, required: ['status'] }),
      };
    default:
      return { 200: json('An OpenAPI document', { type: 'object' }) };
  }
}
