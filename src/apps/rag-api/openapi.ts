import { z } from 'zod';
import { PROBLEM_TYPE, type ProblemKind } from '../http-problems.js';
import { ExchangeDocument } from './exchange-document.js';
import { messageSchema } from './message.js';
import { ANYWHERE, NOWHERE, OPERATIONS, type Operation } from './operations.js';
import { PROBLEMS, type ProblemCode, ProblemDocument } from './problems.js';
import { ReadinessReport } from './readiness.js';
import type { RagApiSettings } from './settings.js';

/** Version of the API, not of the program: the first number changes when clients have to. */
const API_VERSION = '1.1.0';

const TOKEN = { type: 'string' } as const;

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
  'Server-Timing': header('Milliseconds until passages were found and until the first character', TOKEN, true),
};

const BEARER = 'bearer';

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/**
 * The API as OpenAPI 3.1 describes it, from the schemas and the catalogue that its routes use.
 *
 * @param settings whose courses and limits become a part of the description
 */
export function openApiDocument(settings: Pick<RagApiSettings, 'courses' | 'limits'>): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: described(operation, settings) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'RAG API',
      version: API_VERSION,
      summary: 'Questions about courses, answered from their material',
      description: [
        'Every problem is a document of RFC 9457 with a stable `code`; 429 and 503 say in `Retry-After` when to come back.',
        ...NOWHERE.map((code) => `\`${code}\` (${PROBLEMS[code].status}) is for requests that belong to no operation.`),
      ].join(' '),
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: { [BEARER]: { type: 'http', scheme: 'bearer', description: 'The secret `rag-api-key`' } },
      schemas: {
        Message: { ...schemaOf(messageSchema(settings), 'input'), ...UNLISTED },
        Unlisted: { ...UNLISTED, items: reference('Unlisted') },
        Exchange: schemaOf(ExchangeDocument),
        Readiness: schemaOf(ReadinessReport),
        Problem: schemaOf(ProblemDocument),
      },
    },
  };
}

function described(operation: Operation, settings: Pick<RagApiSettings, 'limits'>): object {
  const { id, summary, guarded, path, problems } = operation;
  return {
    operationId: id,
    summary,
    security: guarded ? [{ [BEARER]: [] }] : [],
    parameters: [REQUEST_ID, ...(path.includes('{id}') ? [EXCHANGE_ID] : [])],
    ...(operation.method === 'post' ? { requestBody: question(settings) } : {}),
    responses: {
      ...successOf(operation),
      ...problemResponses([...(guarded ? (['UNAUTHORIZED'] as const) : []), ...problems, ...ANYWHERE]),
    },
  };
}

const REQUEST_ID = {
  name: 'X-Request-Id',
  in: 'header',
  description: 'The id of this request in the log: 1 to 64 of A-Z a-z 0-9 . _ -; another one is replaced',
  schema: TOKEN,
};

const EXCHANGE_ID = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'What X-Exchange-Id of an answer says',
  schema: { type: 'string', format: 'uuid' },
};

const question = ({ limits }: Pick<RagApiSettings, 'limits'>) => ({
  required: true,
  description: `At most ${limits.bodyKiB} KiB. Fields that are not listed are ignored.`,
  content: { 'application/json': { schema: reference('Message') } },
});

function successOf({ id }: Operation): object {
  switch (id) {
    case 'processMessage':
      return {
        200: {
          description: 'The answer in chunks, as the model gives it. One that breaks off ends without the last chunk.',
          headers: { ...ANSWER_HEADERS, ...COMMON_HEADERS },
          content: { 'text/plain': { schema: { type: 'string' } } },
        },
      };
    case 'getExchange':
      return { 200: json('The exchange', reference('Exchange')) };
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

const COMMON_HEADERS = {
  'X-Request-Id': header('The id that the log has', TOKEN, true),
  'X-Content-Type-Options': header('Always nosniff', { const: 'nosniff' }, true),
};

function json(description: string, schema: object): object {
  return { description, headers: COMMON_HEADERS, content: { 'application/json': { schema } } };
}

/** Fields that are ignored, however deep, but for one name that no honest client uses. */
const UNLISTED = {
  propertyNames: { not: { const: '__proto__' } },
  additionalProperties: reference('Unlisted'),
};

/** One response a status: its problems differ by `code`. */
function problemResponses(codes: readonly ProblemCode[]): object {
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code].status))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => [status, problemResponse(codes.filter((code) => PROBLEMS[code].status === status))]),
  );
}

function problemResponse(codes: readonly ProblemCode[]): object {
  const waits = codes.some((code) => code === 'RATE_LIMITED' || kindOf(code).retryAfterSeconds !== undefined);
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
    headers: {
      'X-Content-Type-Options': COMMON_HEADERS['X-Content-Type-Options'],
      ...(waits ? { 'Retry-After': header('Seconds to wait', { type: 'integer', minimum: 1 }, true) } : {}),
      ...(codes.includes('UNAUTHORIZED')
        ? { 'WWW-Authenticate': header('How to ask', { const: 'Bearer' }, true) }
        : {}),
    },
    content: {
      [PROBLEM_TYPE]: {
        schema: {
          allOf: [
            reference('Problem'),
            { properties: { code: { enum: codes }, status: { const: kindOf(codes[0] ?? 'INTERNAL').status } } },
          ],
        },
      },
    },
  };
}

const kindOf = (code: ProblemCode): ProblemKind => PROBLEMS[code];

function header(description: string, schema: object, required = false): object {
  return { description, ...(required ? { required } : {}), schema };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'output'): object {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io });
  return rest;
}
