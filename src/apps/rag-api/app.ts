import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import { type LearnedPassages, Learner } from '../../rag/learn.js';
import { Pipeline } from '../../rag/pipeline.js';
import type { History, Llm, Retrieval } from '../../rag/ports.js';
import { limitConnections } from '../connection-limits.js';
import { refuseMalformed } from '../http-problems.js';
import { RateLimit } from '../rate-limit.js';
import { watchSilentConnections } from '../silent-connections.js';
import { type Asker, Askers, type KeySources } from './asker.js';
import { Asking, TAKE_MS } from './asking.js';
import { addCompletions } from './completion-routes.js';
import { answerProblems } from './error-handler.js';
import { RagApiMetrics } from './metrics.js';
import { observe, observeLearning } from './observe.js';
import { openApiDocument } from './openapi.js';
import { addQuestions } from './question-routes.js';
import { Readiness } from './readiness.js';
import { addRecords } from './record-routes.js';
import type { RagApiSettings } from './settings.js';
import { Streams } from './streams.js';

/** How long replies other than answers may take at least when the service stops, in milliseconds. */
const REPLY_GRACE_MS = 500;

/** Longest wait for the last exchanges to be saved when the service stops, in milliseconds. */
const SAVING_GRACE_MS = 8000;

/** What a client may ask us to use as request id. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; undefined while nobody was identified, and where all clients are one. */
    asker: Asker | undefined;
  }
}

export interface RagApiParts {
  readonly settings: RagApiSettings;
  readonly retrieval: Retrieval;
  readonly history: History;
  readonly llm: Llm;
  /** Points that were made from exchanges. @default - there are none */
  readonly learned?: LearnedPassages | undefined;
  /**
   * The bearer keys that are valid now. `open` asks for none and takes all clients for one, which is for a server that
   * only this machine reaches.
   */
  readonly apiKeys: KeySources | 'open';
  /** How long after `limits.totalSeconds` a client may take the rest of its answer, in milliseconds. @default TAKE_MS */
  readonly takeMs?: number | undefined;
  /** @default - no log */
  readonly logger?: FastifyServerOptions['logger'];
}

/** The API without its ports: `app.listen` or `app.inject` is for the caller. */
export interface RagApi {
  readonly app: FastifyInstance;
  readonly metrics: RagApiMetrics;
  /** Follows the feedback that was not followed when it was given; never rejects. */
  followFeedback(): Promise<void>;
  /** Refuses new questions, waits `graceMs` for running answers, then ends them; resolves when all are saved. */
  stop(graceMs: number): Promise<void>;
}

export function buildApp(parts: RagApiParts): RagApi {
  const { settings } = parts;
  const { limits } = settings;
  const streams = new Streams(limits);
  const metrics = new RagApiMetrics({ streamsInFlight: () => streams.size, waiting: () => pipeline.waiting });
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
    // `Streams` refuses questions while the service stops, in our own words.
    return503OnClosing: false,
    // A name of 64 characters, each of them in up to twelve.
    routerOptions: { maxParamLength: 1024 },
  });
  const endSilentConnections = watchSilentConnections(app.server);
  limitConnections(app.server, { connections: limits.connections, perAddress: limits.connectionsPerAddress });
  app.decorateRequest('asker', undefined);
  // Fastify reads it beside JSON, and hands handlers a string.
  app.removeContentTypeParser('text/plain');
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
      waiting: { exchanges: settings.history.waitingExchanges, bytes: settings.history.waitingMiB * 1024 * 1024 },
    },
    observer: observe(app.log, metrics),
  });
  const learner = parts.learned && new Learner(parts.history, parts.learned, observeLearning(app.log));
  const asking = new Asking(pipeline, streams, limits.totalSeconds * 1000 + (parts.takeMs ?? TAKE_MS));

  answerProblems(app, metrics);
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.header('x-content-type-options', 'nosniff');
  });
  app.addHook('onResponse', async ({ raw: { socket } }) => {
    if (streams.refusing) endWhenIdle(socket);
  });
  addProbes(app, parts);
  addDescription(app, settings);
  app.register(async (guarded) => {
    if (parts.apiKeys !== 'open') requireKey(guarded, new Askers(parts.apiKeys));
    const rate = new RateLimit(limits.questionsPerMinute);
    addQuestions(guarded, settings, asking, rate);
    addCompletions(guarded, settings, asking, rate);
    addRecords(guarded, { settings, history: parts.history, pipeline, metrics, learner });
  });

  return {
    app,
    metrics,
    followFeedback: async () => learner?.follow(),
    async stop(graceMs) {
      streams.refuse();
      const end = performance.now() + graceMs;
      const closed = app.close();
      await streams.end(graceMs);
      // Connections whose answer just ended are idle now, and would be waited for until their clients close them.
      app.server.closeIdleConnections();
      endSilentConnections();
      const left = Math.max(end - performance.now(), REPLY_GRACE_MS);
      await Promise.race([closed, delay(left, undefined, { ref: false })]);
      // What is open still is a reply that nobody reads.
      app.server.closeAllConnections();
      await closed;
      await Promise.race([pipeline.drain(), delay(SAVING_GRACE_MS, undefined, { ref: false })]);
      pipeline.waiting.giveUp();
    },
  };
}

/** Ends a connection on which no other reply is on its way: a server that closes waits for it, however long it is kept. */
function endWhenIdle(socket: Socket): void {
  const next = (socket as { _httpMessage?: unknown })._httpMessage;
  if (!next) socket.destroySoon();
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
