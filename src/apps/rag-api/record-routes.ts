import type { FastifyInstance } from 'fastify';
import type { Learner } from '../../rag/learn.js';
import type { Pipeline } from '../../rag/pipeline.js';
import type { History } from '../../rag/ports.js';
import { RateLimit } from '../rate-limit.js';
import { refuseBeyond, refuseWebBot } from './client-limits.js';
import { exchangeDocument } from './exchange-document.js';
import { parseInput } from './input.js';
import type { RagApiMetrics } from './metrics.js';
import { ApiProblem } from './problems.js';
import { cursorOf, cursorText, feedbackSchema, historySchema, userSchema } from './record-schemas.js';
import type { RagApiSettings } from './settings.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export interface RecordParts {
  readonly settings: RagApiSettings;
  readonly history: History;
  readonly pipeline: Pipeline;
  readonly metrics: RagApiMetrics;
  /** @default - nothing is learned, and there is nothing to take back */
  readonly learner: Learner | undefined;
}

/** What is kept of exchanges: to read, to judge and to remove. */
export function addRecords(app: FastifyInstance, { settings, history, pipeline, metrics, learner }: RecordParts): void {
  const onRequest = refuseBeyond(new RateLimit(settings.limits.recordsPerMinute));
  const feedback = feedbackSchema(settings);
  const query = historySchema(settings);

  app.get<{ Params: { id: string } }>('/exchanges/:id', { onRequest }, async ({ params }, reply) => {
    const exchange = UUID.test(params.id) ? await history.find(params.id) : undefined;
    if (!exchange) throw new ApiProblem('EXCHANGE_NOT_FOUND');
    return reply.header('cache-control', 'no-store').send(exchangeDocument(exchange));
  });

  app.post<{ Params: { id: string } }>('/exchanges/:id/feedback', { onRequest }, async ({ params, body }, reply) => {
    const { value, comment } = parseInput(feedback, body);
    const kept = UUID.test(params.id) && (await history.rate(params.id, value, comment));
    if (!kept) throw new ApiProblem('EXCHANGE_NOT_FOUND');
    metrics.feedback(value);
    void learner?.follow();
    return reply.code(204).send();
  });

  app.get('/history', { onRequest: [refuseWebBot, onRequest] }, async (request, reply) => {
    const { user_name: userName, course, limit, before } = parseInput(query, request.query);
    const page = await history.list({ userName, course, limit, before: before ? cursorOf(before) : undefined });
    const next = page.next ? cursorText(page.next) : null;
    return reply.header('cache-control', 'no-store').send({ exchanges: page.exchanges.map(exchangeDocument), next });
  });

  app.delete('/users/:name', { onRequest: [refuseWebBot, onRequest] }, async (request, reply) => {
    const { name } = parseInput(userSchema, request.params);
    // First what could be written anew, then what is, and the points last: they are made of exchanges that are there.
    await pipeline.forget(name);
    const exchanges = await history.forget(name);
    try {
      await learner?.forget(name);
    } catch (cause) {
      throw new ApiProblem('ERASURE_INCOMPLETE', { cause });
    }
    return reply.send({ exchanges });
  });
}
