import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { RateLimit } from '../rate-limit.js';
import { type Asking, setAnswerHeaders } from './asking.js';
import { refuseBeyond } from './client-limits.js';
import { completionEvents, completionHead, wholeCompletion } from './completion.js';
import { COMPLETION_BODY_KIB, completionSchema } from './completion-schema.js';
import { parseInput } from './input.js';
import { ApiProblem } from './problems.js';
import type { RagApiSettings } from './settings.js';

/** The OpenAI protocol, in which each course is a model: `POST /v1/chat/completions` and `GET /v1/models`. */
export function addCompletions(app: FastifyInstance, settings: RagApiSettings, asking: Asking, rate: RateLimit): void {
  const schema = completionSchema(settings);
  const courses = new Set(settings.courses);

  const options = { onRequest: refuseBeyond(rate), bodyLimit: COMPLETION_BODY_KIB * 1024 };
  app.post('/v1/chat/completions', options, async (request, reply) => {
    const { model: course, message, history, userName, stream, includeUsage } = parseInput(schema, request.body);
    if (!courses.has(course)) throw new ApiProblem('MODEL_NOT_FOUND');
    const answer = await asking.ask(request, reply, { message, history, userName, course });
    const head = completionHead(answer, request.id, course);
    if (!stream) {
      const completion = await wholeCompletion(answer, head);
      setAnswerHeaders(reply, answer);
      return reply.type('application/json; charset=utf-8').send(completion);
    }
    setAnswerHeaders(reply, answer);
    return reply
      .type('text/event-stream; charset=utf-8')
      .send(Readable.from(completionEvents(answer, head, { includeUsage })));
  });

  app.get('/v1/models', async () => ({ object: 'list', data: settings.courses.map(modelOf) }));

  app.get<{ Params: { model: string } }>('/v1/models/:model', async ({ params }) => {
    if (!courses.has(params.model)) throw new ApiProblem('MODEL_NOT_FOUND');
    return modelOf(params.model);
  });
}

const modelOf = (course: string): object => ({ id: course, object: 'model', created: 0, owned_by: 'ragdock' });
