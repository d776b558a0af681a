import type { Deployment } from '../../deploy/support/deployment.js';
import { inspect } from './changes.js';
import type { Undo } from './fault.js';

/**
 * How a server's answers are changed on their way. A request that the server itself refuses is refused.
 *
 * - `empty`: 200 and [DONE], no token
 * - `error`: an error as an event, then [DONE]
 * - `silent`: 200 and headers, and then nothing
 * - `unfinished`: a token and [DONE], no finish_reason
 * - `open`: a wrong key opens it as well
 * - `narrow`: vectors of half the length
 * - `nothing`: vectors of zeros
 */
export type Manner = 'empty' | 'error' | 'silent' | 'unfinished' | 'open' | 'narrow' | 'nothing';

/**
 * Put a server between a model's server and everybody: under its name, on its networks. Requests go on to the true one,
 * which stays as it is and stays healthy, on a network beside.
 *
 * @param server - @default - the one that answers
 */
export async function standBetween(
  deployment: Deployment,
  manner: Manner,
  { service, port }: Pick<Deployment['description']['llm'], 'service' | 'port'> = deployment.description.llm,
): Promise<Undo> {
  const { engine, name } = deployment;
  const { Id, NetworkSettings } = await inspect(deployment, service);
  const networks = Object.keys(NetworkSettings.Networks).map((network) => engine.docker.getNetwork(network));
  const aside = `${name}-beside-${service}`;
  const beside = await engine.docker.createNetwork({ Name: aside });
  await beside.connect({ Container: Id });
  const { IPAddress } = (await inspect(deployment, service)).NetworkSettings.Networks[aside] ?? {};
  const impostor = await engine.docker.createContainer({
    name: `${name}-impostor`,
    Image: (await inspect(deployment, 'rag-api')).Image,
    User: '0:0',
    Env: [`MANNER=${manner}`, `TO=http://${IPAddress}:${port}`, `PORT=${port}`],
    Entrypoint: ['node', '-e', PROGRAM],
    HostConfig: {
      NetworkMode: aside,
      Mounts: [{ Type: 'volume', Source: `${engine.nameOf(service)}-secrets`, Target: '/run/secrets', ReadOnly: true }],
    },
  });
  for (const network of networks) {
    await network.disconnect({ Container: Id });
    await network.connect({ Container: impostor.id, EndpointConfig: { Aliases: [engine.nameOf(service)] } });
  }
  await impostor.start();
  return async () => {
    await impostor.remove({ force: true });
    for (const network of networks) await network.connect({ Container: Id });
    await beside.disconnect({ Container: Id });
    await beside.remove();
  };
}

const PROGRAM = `
const { createServer } = require('node:http');
const { readdirSync, readFileSync } = require('node:fs');
const { MANNER, TO, PORT } = process.env;
const EVENTS = {
  empty: ['[DONE]'],
  error: [JSON.stringify({ error: { message: 'the engine is dead', type: 'InternalServerError', code: 500 } }), '[DONE]'],
  unfinished: [JSON.stringify({ choices: [{ index: 0, delta: { content: 'Снег' }, finish_reason: null }] }), '[DONE]'],
};
const VECTORS = {
  narrow: (vector) => vector.slice(0, vector.length / 2),
  nothing: (vector) => vector.map(() => 0),
};
createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const headers = { ...request.headers };
  for (const own of ['host', 'connection', 'content-length', 'transfer-encoding']) delete headers[own];
  if (MANNER === 'open') {
    const [file] = readdirSync('/run/secrets').filter((name) => name.includes('api-key')).sort().reverse();
    headers.authorization = 'Bearer ' + readFileSync('/run/secrets/' + file, 'utf8').trim();
  }
  const stop = new AbortController();
  response.on('close', () => stop.abort());
  try {
    const body = pieces.length > 0 ? Buffer.concat(pieces) : undefined;
    const reply = await fetch(TO + request.url, { method: request.method, headers, body, signal: stop.signal });
    const type = reply.headers.get('content-type');
    if (VECTORS[MANNER] && request.url === '/v1/embeddings' && reply.status === 200) {
      const made = await reply.json();
      const data = made.data.map((one) => ({ ...one, embedding: VECTORS[MANNER](one.embedding) }));
      response.writeHead(200, { 'content-type': type }).end(JSON.stringify({ ...made, data }));
      return;
    }
    if (MANNER === 'open' || reply.status !== 200 || !type?.startsWith('text/event-stream')) {
      response.writeHead(reply.status, type ? { 'content-type': type } : {});
      for await (const piece of reply.body ?? []) response.write(piece);
      response.end();
      return;
    }
    await reply.body.cancel();
    response.writeHead(200, { 'content-type': type });
    response.flushHeaders();
    if (MANNER === 'silent') return;
    for (const event of EVENTS[MANNER]) response.write('data: ' + event + '\\n\\n');
    response.end();
  } catch {
    response.destroy();
  }
}).listen(Number(PORT));
`;
