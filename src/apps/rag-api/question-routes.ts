import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { RateLimit } from '../rate-limit.js';
import { type Asking, setAnswerHeaders } from './asking.js';
import { refuseBeyond } from './client-limits.js';
import { parseInput } from './input.js';
import { messageSchema } from './message.js';
import type { RagApiSettings } from './settings.js';

/** `POST /process_message`: a question in, the answer out as text. */
export function addQuestions(app: FastifyInstance, settings: RagApiSettings, asking: Asking, rate: RateLimit): void {
  const schema = messageSchema(settings);
  app.post('/process_message', { onRequest: refuseBeyond(rate) }, async (request, reply) => {
    const { message, user_name: userName, course, history } = parseInput(schema, request.body);
    const answer = await asking.ask(request, reply, { message, userName, course, history });
    setAnswerHeaders(reply, answer);
    return reply.type('text/plain; charset=utf-8').send(Readable.from(answer.text));
  });
}
