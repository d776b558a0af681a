import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RagFailure } from '../../rag/failure.js';
import { PROBLEM_TYPE } from '../http-problems.js';
import type { RagApiMetrics } from './metrics.js';
import { openAiError, speaksOpenAi } from './openai-error.js';
import { methodsAt } from './operations.js';
import { ApiProblem, CODE_OF_FAILURE, PROBLEMS, type ProblemCode, problemDocument } from './problems.js';

/** Makes every error of the app, its own and Fastify's, a problem document; what is behind it goes to the log only. */
export function answerProblems(app: FastifyInstance, metrics: RagApiMetrics): void {
  const answer = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    // Nobody is there to read it: the client left, and that is on record as an aborted question.
    if (reply.raw.destroyed) return reply.hijack();
    const problem = problemOf(error);
    const { code, fields, retryAfterSeconds } = problem;
    metrics.rejected(code);
    if (LOGGED.has(code)) request.log.error({ code, err: error }, 'rejected');
    // The cause of other failures is in the line "question ended" of the same request.
    else request.log.info({ code }, 'rejected');
    if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
    if (code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer');
    reply.code(PROBLEMS[code].status);
    if (speaksOpenAi(request.url)) {
      return reply.type('application/json; charset=utf-8').send(JSON.stringify(openAiError(problem)));
    }
    return reply.type(PROBLEM_TYPE).send(JSON.stringify(problemDocument(code, request.id, fields)));
  };
  app.setErrorHandler(answer);
  // Before Fastify reads a body that nobody wants, and finds fault with it.
  app.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return;
    const allowed = methodsAt(request.url.split('?', 1)[0] ?? '');
    if (allowed.length === 0) throw new ApiProblem('NOT_FOUND');
    reply.header('allow', allowed.join(', '));
    throw new ApiProblem('METHOD_NOT_ALLOWED');
  });
  app.setNotFoundHandler((request, reply) => answer(new ApiProblem('NOT_FOUND'), request, reply));
}

/** What an error is to a client. */
export function problemOf(error: unknown): ApiProblem {
  return error instanceof ApiProblem ? error : new ApiProblem(codeOfError(error), { cause: error });
}

/** Problems whose cause no other line of the log has. */
const LOGGED: ReadonlySet<ProblemCode> = new Set(['INTERNAL', 'HISTORY_UNAVAILABLE', 'ERASURE_INCOMPLETE']);

/** Codes of Fastify's own errors that a client can cause. */
const CODE_OF_FASTIFY: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'BODY_INVALID',
  FST_ERR_CTP_INVALID_JSON_BODY: 'BODY_INVALID',
};

function codeOfError(error: unknown): ProblemCode {
  if (error instanceof RagFailure) return CODE_OF_FAILURE[error.kind];
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  if (code && CODE_OF_FASTIFY[code]) return CODE_OF_FASTIFY[code];
  if (statusCode === 413) return 'BODY_TOO_LARGE';
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? 'REQUEST_INVALID' : 'INTERNAL';
}
