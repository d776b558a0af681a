import { createServer, type Server, type ServerResponse } from 'node:http';
import type { FastifyBaseLogger } from 'fastify';
import type { Registry } from 'prom-client';

/** Serves GET /metrics on a port of its own, which needs no key and is never published. Resolves when it listens. */
export async function serveMetrics(registry: Registry, port: number, log: FastifyBaseLogger): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    void answerMetrics(registry, response, log);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '0.0.0.0', resolve);
  });
  return server;
}

/** Answers one request with the metrics as they are now; never rejects. */
export async function answerMetrics(
  registry: Registry,
  response: ServerResponse,
  log: FastifyBaseLogger,
): Promise<void> {
  try {
    const text = await registry.metrics();
    response.writeHead(200, { 'content-type': registry.contentType }).end(text);
  } catch (error) {
    log.error({ err: error }, 'the metrics could not be collected');
    response.writeHead(500).end();
  }
}
