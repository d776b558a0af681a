import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';

export const KEY = 'canary-key-of-the-api';
export const EXCHANGE_ID = '0192f0c4-7a55-7000-8000-000000000001';
export const SOURCES = [
  { source: 'docs/osmosis.md', title: 'Осмос', score: 0.81, collection: 'BD_curs_data', text: 'Осмос – это …' },
  { source: 'docs/cells.md', title: 'Клетка', score: 0.42, collection: 'BD_curs_data', text: 'Клетка – это …' },
];

export interface Asked {
  readonly body: unknown;
  readonly headers: Record<string, string | string[] | undefined>;
  /** Resolves with the time at which the client closed before the answer was complete. */
  readonly aborted: Promise<number>;
}

/** How the API answers one question: the rest of the exchange is this function's. */
export type Script = (response: ServerResponse, asked: Asked) => void | Promise<void>;

/** A server with the RAG API's routes whose answers are written by the tests, down to the byte. */
export class ScriptedApi {
  readonly asked: Asked[] = [];
  readonly exchangeRequests: string[] = [];
  readinessProbes = 0;
  keys = [KEY];
  isReady = true;
  /** Answers to GET /exchanges/:id, in turn; the last one stays. */
  exchangeStatuses = [200];
  script: Script = (response) => {
    begin(response);
    response.end('Ответ');
  };

  private constructor(private readonly app: FastifyInstance) {}

  static async start(port = 0): Promise<ScriptedApi> {
    const app = Fastify({ forceCloseConnections: true });
    const api = new ScriptedApi(app);
    app.get('/readyz', async (_request, reply) => {
      api.readinessProbes += 1;
      return reply.code(api.isReady ? 200 : 503).send({});
    });
    app.post('/process_message', async (request, reply) => {
      const aborted = new Promise<number>((resolve) => {
        reply.raw.once('close', () => {
          if (!reply.raw.writableFinished) resolve(performance.now());
        });
      });
      const asked = { body: request.body, headers: request.headers, aborted };
      api.asked.push(asked);
      if (!api.isAuthorized(request.headers.authorization)) return problem(reply, 401, 'KEY_REJECTED');
      reply.hijack();
      await api.script(reply.raw, asked);
    });
    app.get<{ Params: { id: string } }>('/exchanges/:id', async (request, reply) => {
      if (!api.isAuthorized(request.headers.authorization)) return problem(reply, 401, 'KEY_REJECTED');
      api.exchangeRequests.push(request.params.id);
      const status = api.exchangeStatuses.length > 1 ? api.exchangeStatuses.shift() : api.exchangeStatuses[0];
      if (status !== 200) return problem(reply, status ?? 500, 'EXCHANGE_UNKNOWN');
      return { id: request.params.id, status: 'complete', sources: SOURCES };
    });
    await app.listen({ host: '127.0.0.1', port });
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.app.server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    return this.app.close();
  }

  private isAuthorized(header: string | undefined): boolean {
    return this.keys.some((key) => header === `Bearer ${key}`);
  }
}

/** Headers of a good answer. */
export function begin(response: ServerResponse, headers: Record<string, string> = {}): void {
  response.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'x-exchange-id': EXCHANGE_ID,
    'x-rag-sources': '2',
    ...headers,
  });
}

/** The error body of the API, as a script's answer. */
export function fail(status: number, code: string): Script {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify({ type: 'about:blank', title: code, status, code, detail: 'canary-detail' }));
  };
}

function problem(reply: FastifyReply, status: number, code: string) {
  return reply.code(status).type('application/problem+json').send({ title: code, status, code });
}
