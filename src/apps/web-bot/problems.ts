import type { FastifyInstance, FastifyReply } from 'fastify';
import { HTTP_PROBLEMS, PROBLEM_TYPE, type ProblemKind, problemBody } from '../http-problems.js';

/** What the web bot's own addresses answer with when something is wrong; questions have `failures.ts`. */
export const PROBLEMS = {
  ...HTTP_PROBLEMS,
  HOST_REFUSED: { status: 421, title: 'This service is not asked under this name' },
  ORIGIN_REFUSED: { status: 403, title: 'Another site may not open chats here' },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(readonly problem: ProblemCode) {
    super(PROBLEMS[problem].title);
  }
}

/** What a handler throws. */
export const refusal = (problem: ProblemCode): Error => new Refusal(problem);

/** Makes every error of the app a problem document; what is behind it goes to the log only. */
export function answerProblems(app: FastifyInstance): void {
  const answer = (code: ProblemCode, reply: FastifyReply) =>
    reply
      .code(PROBLEMS[code].status)
      .type(PROBLEM_TYPE)
      .send(JSON.stringify(problemBody(code, PROBLEMS[code])));
  app.setErrorHandler((error: unknown, request, reply) => {
    const code = codeOf(error);
    if (code === 'INTERNAL') request.log.error({ err: error }, 'rejected');
    return answer(code, reply);
  });
  // Before Fastify reads a body that nobody wants, and finds fault with it.
  app.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return;
    // All that there is can be read, and nothing else.
    const path = request.url.split('?', 1)[0] ?? '';
    if (!app.hasRoute({ method: 'GET', url: path })) throw refusal('NOT_FOUND');
    reply.header('allow', 'GET, HEAD');
    throw refusal('METHOD_NOT_ALLOWED');
  });
  app.setNotFoundHandler((_request, reply) => answer('NOT_FOUND', reply));
}

function codeOf(error: unknown): ProblemCode {
  if (error instanceof Refusal) return error.problem;
  const { statusCode } = error as { statusCode?: number };
  if (statusCode === 413) return 'BODY_TOO_LARGE';
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? 'REQUEST_INVALID' : 'INTERNAL';
}
