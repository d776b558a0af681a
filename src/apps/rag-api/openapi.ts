import { PROBLEM_TYPE, type ProblemKind } from '../http-problems.js';
import { openAiCode, speaksOpenAi } from './openai-error.js';
import { type DescribedSettings, inputOf, inputSchemas } from './openapi-inputs.js';
import { OUTPUT_SCHEMAS, successOf } from './openapi-outputs.js';
import { COMMON_HEADERS, header, reference, UNLISTED } from './openapi-parts.js';
import { ANYWHERE, NOWHERE, OPERATIONS, type Operation } from './operations.js';
import { PROBLEMS, type ProblemCode } from './problems.js';

/** Version of the API, not of the program: the first number changes when clients have to. */
const API_VERSION = '1.2.0';

const BEARER = 'bearer';

/**
 * The API as OpenAPI 3.1 describes it, from the schemas and the catalogue that its routes use.
 *
 * @param settings whose courses and limits become a part of the description
 */
export function openApiDocument(settings: DescribedSettings): object {
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
        ...inputSchemas(settings),
        Unlisted: { ...UNLISTED, items: reference('Unlisted') },
        ...OUTPUT_SCHEMAS,
      },
    },
  };
}

function described(operation: Operation, settings: DescribedSettings): object {
  const { id, summary, guarded, path, problems } = operation;
  return {
    operationId: id,
    summary,
    security: guarded ? [{ [BEARER]: [] }] : [],
    ...inputOf(operation, settings),
    responses: {
      ...successOf(operation),
      ...problemResponses(path, [...(guarded ? (['UNAUTHORIZED'] as const) : []), ...problems, ...ANYWHERE]),
    },
  };
}

/** One response a status: its problems differ by `code`. */
function problemResponses(path: string, codes: readonly ProblemCode[]): object {
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code].status))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      problemResponse(
        path,
        codes.filter((code) => PROBLEMS[code].status === status),
      ),
    ]),
  );
}

function problemResponse(path: string, codes: readonly ProblemCode[]): object {
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
    content: speaksOpenAi(path)
      ? { 'application/json': { schema: openAiProblem(codes) } }
      : { [PROBLEM_TYPE]: { schema: problem(codes) } },
  };
}

function problem(codes: readonly ProblemCode[]): object {
  const { status } = kindOf(codes[0] ?? 'INTERNAL');
  return { allOf: [reference('Problem'), { properties: { code: { enum: codes }, status: { const: status } } }] };
}

function openAiProblem(codes: readonly ProblemCode[]): object {
  const code = { enum: codes.map(openAiCode) };
  return { allOf: [reference('OpenAiError'), { properties: { error: { properties: { code } } } }] };
}

const kindOf = (code: ProblemCode): ProblemKind => PROBLEMS[code];
