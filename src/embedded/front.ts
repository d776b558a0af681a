import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { answerMetrics } from '../apps/rag-api/metrics-server.js';
import { RagdockError } from '../errors/problem.js';

/** Only programs of this machine reach the server, which therefore asks for no key. */
const ADDRESS = '127.0.0.1';

/** Longest time that a client may take to send a request, in milliseconds, as the RAG API has it on its own port. */
const REQUEST_TIMEOUT_MS = 15_000;

const SOCKET_IO = '/socket.io/';

export interface FrontParts {
  /** Both are ready and listen nowhere. */
  readonly api: FastifyInstance;
  readonly bot: FastifyInstance;
  /** Paths that the bot answers, beside `/socket.io/`; all others are the API's. */
  readonly botPaths: ReadonlySet<string>;
  readonly metrics: Registry;
}

/** One port for page, Socket.IO, API and metrics. */
export class Front {
  readonly #server: Server;
  #parts: FrontParts | undefined;

  private constructor() {
    this.#server = createServer({
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
    });
    this.#server.on('request', (request, response) => this.#answer(request, response));
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const isChat = request.headers.upgrade?.toLowerCase() === 'websocket' && request.url?.startsWith(SOCKET_IO);
      if (!this.#parts || !isForThisMachine(request)) socket.destroy();
      else if (isChat) this.#parts.bot.server.emit('upgrade', request, socket, head);
      // Some clients offer HTTP/2 this way, and would wait for an answer to what they have sent.
      else socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nask without an Upgrade header\n');
    });
  }

  /**
   * Takes the port. Until `serve` everything is answered with 503.
   *
   * @param port 0 takes any that is free
   * @throws RagdockError PORT_IN_USE
   */
  static async listen(port: number): Promise<Front> {
    const front = new Front();
    front.#server.listen(port, ADDRESS);
    try {
      await once(front.#server, 'listening');
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw cause;
      const why = code === 'EACCES' ? `this user may not listen on ${port}: ${message}` : `${ADDRESS}:${port} is taken`;
      throw new RagdockError({ code: 'PORT_IN_USE', path: '--port', message: why }, { cause });
    }
    return front;
  }

  /** Base address, without a slash at its end. */
  get url(): string {
    return `http://${ADDRESS}:${(this.#server.address() as AddressInfo).port}`;
  }

  serve(parts: FrontParts): void {
    this.#parts = parts;
  }

  /** Takes no more connections and ends those that are left. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (!isForThisMachine(request)) say(response, 403, 'this server answers to localhost alone');
    else if (!this.#parts) say(response, 503, 'starting');
    else {
      const { api, bot, botPaths, metrics } = this.#parts;
      if (path === '/metrics') void answerMetrics(metrics, response, api.log);
      else {
        const app = botPaths.has(path) || path.startsWith(SOCKET_IO) ? bot : api;
        app.server.emit('request', request, response);
      }
    }
  }
}

/**
 * Whether the request was meant for this machine by its name. A page from elsewhere can have its own name resolve to
 * 127.0.0.1, and would then talk to us as if it were ours; its requests carry that name.
 */
export function isForThisMachine({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return /^(localhost|127\.0\.0\.1)(:\d+)?$/i.test(headers.host ?? '');
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
