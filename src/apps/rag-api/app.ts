import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyServerOptions, LogController } from 'fastify';
import { type Answer, Pipeline } from '../../rag/pipeline.js';
import type { History, Llm, Retrieval } from '../../rag/ports.js';
import { limitConnections } from '../connection-limits.js';
import { refuseMalformed } from '../http-problems.js';
import { RateLimit } from '../rate-limit.js';
import { watchSilentConnections } from '../silent-connections.js';
import { type Asker, Askers, type KeySources } from './asker.js';
import { answerProblems } from './error-handler.js';
import { exchangeDocument } from './exchange-document.js';
import { type Message, messageSchema } from './message.js';
import { RagApiMetrics } from './metrics.js';
import { observe } from './observe.js';
import { openApiDocument } from './openapi.js';
import { ApiProblem } from './problems.js';
import { Readiness } from './readiness.js';
import type { RagApiSettings } from './settings.js';
import { Streams } from './streams.js';

/** Longest wait for the last exchanges to be saved when the service stops, in milliseconds. */
const SAVING_GRACE_MS = 8000;

/**
 * How long a client may take what is left of an answer that broke off, in milliseconds. Without this time the error
 * could overtake even the headers.
 */
const FLUSH_MS = 500;

/** What a client may ask us to use as request id. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; undefined while nobody was identified, and where all clients are one. */
    asker: Asker | undefined;
  }
}

/** Why an answer ends early when nothing is wrong with it. */
class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

export interface RagApiParts {
  readonly settings: RagApiSettings;
  readonly retrieval: Retrieval;
  readonly history: History;
  readonly llm: Llm;
  /**
   * The bearer keys that are valid now. `open` asks for none and takes all clients for one, which is for a server that
   * only this machine reaches.
   */
  readonly apiKeys: KeySources | 'open';
  /** @default - no log */
  readonly logger?: FastifyServerOptions['logger'];
}

/** The API without its ports: `app.listen` or `app.inject` is for the caller. */
export interface RagApi {
  readonly app: FastifyInstance;
  readonly metrics: RagApiMetrics;
  /** Refuses new questions, waits `graceMs` for running answers, then ends them; resolves when all are saved. */
  stop(graceMs: number): Promise<void>;
}

export function buildApp(parts: RagApiParts): RagApi {
  const { settings } = parts;
  const { limits } = settings;
  const streams = new Streams(limits);
  const metrics = new RagApiMetrics(() => streams.size);
  const app = Fastify({
    logger: parts.logger ?? false,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: limits.bodyKiB * 1024,
    // How long a client may take to send a request; how long the answer takes is apart.
    requestTimeout: limits.requestSeconds * 1000,
    http: { headersTimeout: limits.requestSeconds * 1000, connectionsCheckingInterval: 1000 },
    clientErrorHandler: refuseMalformed,
    genReqId: ({ headers }) => {
      const wanted = headers['x-request-id'];
      return typeof wanted === 'string' && REQUEST_ID.test(wanted) ? wanted : randomUUID();
    },
    forceCloseConnections: 'idle',
  });
  const endSilentConnections = watchSilentConnections(app.server);
  limitConnections(app.server, { connections: limits.connections, perAddress: limits.connectionsPerAddress });
  app.decorateRequest('asker', undefined);
  const pipeline = new Pipeline({
    retrieval: parts.retrieval,
    history: parts.history,
    llm: parts.llm,
    settings: {
      systemPrompt: settings.llm.systemPrompt,
      contextTokens: settings.llm.contextTokens,
      answerTokens: settings.llm.sampling.maxTokens,
      noContext: settings.noContext,
      totalMs: limits.totalSeconds * 1000,
      gate: settings.gate,
    },
    observer: observe(app.log, metrics),
  });

  answerProblems(app, metrics);
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.header('x-content-type-options', 'nosniff');
  });
  addProbes(app, parts);
  addDescription(app, settings);
  app.register(async (guarded) => {
    if (parts.apiKeys !== 'open') requireKey(guarded, new Askers(parts.apiKeys));
    addQuestions(guarded, settings, pipeline, streams);
    addExchanges(guarded, parts.history);
  });

  return {
    app,
    metrics,
    async stop(graceMs) {
      streams.refuse();
      const closed = app.close();
      await streams.end(graceMs);
      // Connections whose answer just ended are idle now, and would be waited for until their clients close them.
      app.server.closeIdleConnections();
      endSilentConnections();
      await closed;
      await Promise.race([pipeline.drain(), delay(SAVING_GRACE_MS, undefined, { ref: false })]);
    },
  };
}

function requireKey(app: FastifyInstance, askers: Askers): void {
  app.addHook('onRequest', async (request) => {
    request.asker = await askers.identify(request);
  });
}

function addDescription(app: FastifyInstance, settings: RagApiSettings): void {
  const document = JSON.stringify(openApiDocument(settings), null, 2);
  app.get('/openapi.json', async (_request, reply) => reply.type('application/json; charset=utf-8').send(document));
}

function addProbes(app: FastifyInstance, { history, retrieval, llm }: RagApiParts): void {
  const readiness = new Readiness({ history, retrieval, llm }, (dependency, cause) => {
    app.log.warn({ dependency, err: cause }, 'not ready');
  });
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const report = await readiness.report();
    return reply.code(report.ready ? 200 : 503).send(report);
  });
}

function addQuestions(app: FastifyInstance, settings: RagApiSettings, pipeline: Pipeline, streams: Streams): void {
  const schema = messageSchema(settings);
  const rate = new RateLimit(settings.limits.questionsPerMinute);
  // Before the body is read: what is refused should cost little.
  const onRequest = async ({ asker }: { readonly asker: Asker | undefined }): Promise<void> => {
    const waitMs = asker ? rate.take(asker.address) : 0;
    if (waitMs > 0) throw new ApiProblem('RATE_LIMITED', { retryAfterSeconds: Math.ceil(waitMs / 1000) });
  };

  app.post('/process_message', { onRequest }, async (request, reply) => {
    const message = parseMessage(schema, request.body);
    const controller = streams.enter(request.asker);
    // Not request.signal: that one aborts as soon as the body of a POST has been read.
    const closed = () => {
      if (!reply.raw.writableFinished) controller.abort(new ClientGone('the client closed the connection'));
      streams.leave(controller);
    };
    if (reply.raw.closed) closed();
    else reply.raw.once('close', closed);

    const answer = await pipeline.ask(
      {
        requestId: request.id,
        message: message.message,
        userName: message.user_name,
        course: message.course,
        history: message.history,
      },
      controller.signal,
    );
    // A reader that takes nothing would hold a broken answer back for ever.
    answer.signal.addEventListener('abort', () => setTimeout(() => reply.raw.destroy(), FLUSH_MS).unref(), {
      once: true,
    });
    setAnswerHeaders(reply, answer);
    return reply.send(Readable.from(answer.text));
  });
}

function parseMessage(schema: ReturnType<typeof messageSchema>, body: unknown): Message {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.') || '(body)', message }));
  throw new ApiProblem('INPUT_INVALID', { fields });
}

function setAnswerHeaders(reply: FastifyReply, answer: Answer): void {
  const timings = Object.entries(answer.timings).map(([stage, ms]) => `${stage};dur=${ms.toFixed(1)}`);
  reply
    .code(200)
    .type('text/plain; charset=utf-8')
    .header('cache-control', 'no-cache, no-transform')
    // Says to nginx what the line above says to others.
    .header('x-accel-buffering', 'no')
    .header('x-rag-sources', answer.sources.length)
    .header('server-timing', timings.join(', '));
  if (answer.exchangeId) reply.header('x-exchange-id', answer.exchangeId);
  if (answer.degraded.length > 0) reply.header('x-rag-degraded', answer.degraded.join(', '));
}

function addExchanges(app: FastifyInstance, history: History): void {
  app.get<{ Params: { id: string } }>('/exchanges/:id', async ({ params }, reply) => {
    const exchange = UUID.test(params.id) ? await history.find(params.id) : undefined;
    if (!exchange) throw new ApiProblem('EXCHANGE_NOT_FOUND');
    return reply.header('cache-control', 'no-store').send(exchangeDocument(exchange));
  });
}
