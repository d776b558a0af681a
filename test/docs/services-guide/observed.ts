import { DEFAULT_LIMITS } from '../../../src/apps/web-bot/limits.js';
import { HttpRagApi } from '../../../src/apps/web-bot/rag-api.js';
import type { Passage } from '../../../src/rag/ports.js';
import { QdrantRetrieval } from '../../../src/rag/retrieval/qdrant.js';
import { question, startBot, Visitor } from '../../apps/web-bot/harness.js';
import { json, type ReceivedRequest, ScriptedServer } from '../../support/http-server.js';
import { RunningRagApi } from '../../support/rag-api.js';
import type { MemoryHistory } from '../../support/rag-parts.js';
import type { Resource } from '../../support/synth.js';
import type { Saiga } from './saiga.js';

/** What the bundled apps really say when they run with the settings of saiga; the other side is scripted. */

const credential = { current: () => 'key', refresh: async () => 'key' };

export interface AskedApi {
  readonly response: Response;
  readonly text: string;
  /** What the model server was asked for this question. */
  readonly toModel: ReceivedRequest;
  readonly history: MemoryHistory;
  /** Status of the address under which the exchange is found afterwards. */
  readonly found: number;
}

/** One question to the RAG API. */
export async function askApi(saiga: Saiga, headers: Record<string, string> = {}): Promise<AskedApi> {
  const api = await RunningRagApi.start({ llm: saiga.json('rag-api').llm });
  try {
    const response = await api.ask({}, { headers });
    const text = await response.text();
    const toModel = api.model.requests.find(({ path }) => path === '/v1/chat/completions');
    if (!toModel) throw new Error(`the model was not asked; the API said ${response.status} ${text}`);
    const { status: found } = await api.get(`/exchanges/${response.headers.get('x-exchange-id')}`);
    return { response, text, toModel, history: api.history, found };
  } finally {
    await api.stop();
  }
}

/** A question whose fields are not as they have to be. */
export async function askWrongly(fields: Record<string, unknown>): Promise<{ status: number; code: string }> {
  const api = await RunningRagApi.start();
  try {
    const response = await api.ask(fields);
    return { status: response.status, code: ((await response.json()) as { code: string }).code };
  } finally {
    await api.stop();
  }
}

/** What the API asks a model server to see whether it is ready. */
export async function probeModel(): Promise<ReceivedRequest | undefined> {
  const api = await RunningRagApi.start();
  try {
    api.script = (_request, response) => json(response, 200, { object: 'list', data: [] });
    await api.get('/readyz');
    return api.model.requests[0];
  } finally {
    await api.stop();
  }
}

export interface Search {
  readonly path: string;
  readonly body: Resource;
  /** What the API made of the point that it was given. */
  readonly passages: readonly Passage[];
}

/** What the API asks Qdrant for one question, by collection; each has one point. */
export async function searchQdrant(saiga: Saiga): Promise<readonly Search[]> {
  const points = [{ id: 1, version: 1, score: 12.5, payload: { text: 'Осмос – это …', source: 'cells.md' } }];
  const qdrant = await ScriptedServer.start(({ path }, response) => {
    json(response, 200, { result: path.endsWith('/batch') ? [{ points }, { points }] : { points } });
  });
  const { collections, embeddings } = saiga.json('rag-api');
  const embedder = {
    ...embeddings,
    embed: async (texts: string[]) => texts.map(() => [1]),
    close: async () => undefined,
  };
  const retrieval = new QdrantRetrieval(qdrant.url, credential, collections, embedder);
  try {
    const { collections: results } = await retrieval.search('Что такое осмос?', 'demo', AbortSignal.timeout(10_000));
    return qdrant.requests.map(({ path, body }) => {
      const found = results.find(({ collection }) => path.includes(collection));
      return { path, body: JSON.parse(body), passages: found && 'passages' in found ? found.passages : [] };
    });
  } finally {
    await retrieval.close();
    await qdrant.close();
  }
}

/** What the web bot asks the API for one question. */
export async function askAsBot(): Promise<ReceivedRequest> {
  const api = await ScriptedServer.start((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('Да');
  });
  const client = new HttpRagApi(api.url, credential, DEFAULT_LIMITS.api);
  try {
    const { pieces } = await client.ask(question(), [], '192.0.2.1', AbortSignal.timeout(10_000));
    for await (const _piece of pieces);
    return api.requests[0] as ReceivedRequest;
  } finally {
    await client.close();
    await api.close();
  }
}

/** The events that a visitor of the chat is sent for one question, each once, in their order. */
export async function chat(): Promise<readonly string[]> {
  const { url } = await startBot();
  const visitor = await Visitor.connect(url);
  const events = new Set<string>();
  visitor.socket.onAny((event: string) => events.add(event));
  const { receipt } = await visitor.ask(question());
  if (!receipt.ok) throw new Error(`the bot took no 'send_message': ${receipt.code}`);
  return [...events];
}

/** What the web bot says of itself while its API cannot be reached. */
export async function botWithoutApi(): Promise<number> {
  const { url } = await startBot({}, { apiUrl: 'http://127.0.0.1:9' });
  return (await fetch(`${url}/readyz`)).status;
}
