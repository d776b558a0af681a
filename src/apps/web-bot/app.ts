import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import { Server } from 'socket.io';
import { TrustedProxies } from '../client-address.js';
import { limitConnections } from '../connection-limits.js';
import { refuseMalformed } from '../http-problems.js';
import { watchSilentConnections } from '../silent-connections.js';
import type { Asset } from './assets.js';
import { Chat } from './chat.js';
import { type ClientToServerEvents, type ServerToClientEvents, USER_NAME_CHARACTERS } from './events.js';
import { Gate } from './gate.js';
import { Hosts } from './hosts.js';
import { DEFAULT_LIMITS, type WebBotLimits } from './limits.js';
import { isCrossSite, isSameOrigin } from './origin.js';
import { answerProblems, type ProblemCode, refusal } from './problems.js';
import type { RagApi } from './rag-api.js';
import { Readiness } from './readiness.js';
import { SessionTokens } from './session-tokens.js';
import type { WebBotSettings } from './settings.js';

export interface WebBotDeps {
  readonly settings: WebBotSettings;
  readonly api: RagApi;
  readonly assets: ReadonlyMap<string, Asset>;
  /** The keys that session tokens are signed with and checked against, newest first. */
  readonly sessionKeys: () => Promise<readonly string[]>;
  /** @default DEFAULT_LIMITS */
  readonly limits?: WebBotLimits;
  /** @default false */
  readonly logger?: FastifyServerOptions['logger'];
}

/**
 * Nothing from elsewhere, nothing inline, and no way to turn a string into markup: what an answer says cannot become
 * part of the page, nor be sent anywhere by it.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const SECURITY_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

/** The web bot, ready to listen. Closing it lets answers in flight end first, for `limits.drainMs` at most. */
export async function buildWebBot(deps: WebBotDeps): Promise<FastifyInstance> {
  const { settings, api, assets, sessionKeys, limits = DEFAULT_LIMITS, logger = false } = deps;
  const app = Fastify({
    logger,
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: limits.requestMs,
    http: { headersTimeout: limits.requestMs, connectionsCheckingInterval: 1000 },
    bodyLimit: limits.packetBytes,
    clientErrorHandler: refuseMalformed,
  });
  const endSilentConnections = watchSilentConnections(app.server);
  const proxies = new TrustedProxies(settings.trustedProxies);
  limitConnections(app.server, {
    connections: limits.connections,
    perAddress: limits.connectionsPerAddress,
    isExempt: (address) => proxies.has(address),
  });
  const tokens = new SessionTokens(sessionKeys, limits.sessionMs);
  const gate = new Gate(tokens, proxies, limits);
  const chat = new Chat(settings, api, limits, app.log);
  const readiness = new Readiness(api, limits);
  const hosts = new Hosts(settings.hosts);

  const io = new Server<ClientToServerEvents, ServerToClientEvents>(app.server, {
    serveClient: false,
    maxHttpBufferSize: limits.packetBytes,
    connectTimeout: limits.joinMs,
    allowRequest: (request, decide) => {
      if (!hosts.includes(request.headers)) return decide('HOST_REFUSED' satisfies ProblemCode, false);
      decide(null, !chat.isDraining && isSameOrigin(request.headers) && gate.hasRoom(request));
    },
  });
  gate.guard(io);
  io.on('connection', (socket) => chat.join(socket, proxies.clientOf(socket.request)));
  io.engine.on('headers', (headers: Record<string, string>) => Object.assign(headers, SECURITY_HEADERS));

  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(SECURITY_HEADERS);
  });
  app.addHook('onRequest', async ({ headers }) => {
    if (!hosts.includes(headers)) throw refusal('HOST_REFUSED');
  });
  answerProblems(app);
  app.addHook('preClose', async () => {
    await chat.drain();
    await closeConnections(io);
    endSilentConnections();
  });

  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const state = await readiness.check();
    return reply
      .code(state === 'ready' ? 200 : 503)
      .send({ status: state === 'ready' ? 'ready' : 'waiting', api: state });
  });
  app.get('/config.json', async (_request, reply) => {
    const { courses, messageCharacters } = settings;
    return reply
      .header('cache-control', 'no-store')
      .send({ courses, messageCharacters, userNameCharacters: USER_NAME_CHARACTERS });
  });
  app.get('/session', async ({ headers }, reply) => {
    if (isCrossSite(headers) || !isSameOrigin(headers)) throw refusal('ORIGIN_REFUSED');
    const { token, expiresIn } = await tokens.issue();
    return reply.header('cache-control', 'no-store').send({ token, expires_in: expiresIn });
  });
  for (const [path, asset] of assets) {
    app.get(path, async (request, reply) => {
      reply.headers({ 'cache-control': 'no-cache', etag: asset.etag });
      if (request.headers['if-none-match'] === asset.etag) return reply.code(304).send();
      return reply.type(asset.type).send(asset.body);
    });
  }
  return app;
}

/** Longest wait, in milliseconds, for a connection to take what was last sent to it. */
const FLUSH_MS = 1_000;

/**
 * Close every connection after what is still queued for it. Not by `io.close()`, which drops that and closes the HTTP
 * server, which is Fastify's; nor by disconnecting the sockets: clients would take it as final and not come back.
 */
async function closeConnections(io: Server): Promise<void> {
  const closed = [...io.sockets.sockets.values()].map(({ conn }) => {
    const close = once(conn, 'close');
    conn.close();
    return close;
  });
  await Promise.race([Promise.all(closed), delay(FLUSH_MS, undefined, { ref: false })]);
  io.engine.close();
}
