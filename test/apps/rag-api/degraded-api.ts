import { randomBytes } from 'node:crypto';
import { OpenAiEmbedder } from '../../../src/rag/embeddings/openai-embedder.js';
import { migrate } from '../../../src/rag/history/migrate.js';
import { PostgresHistory } from '../../../src/rag/history/postgres.js';
import { OpenAiLlm } from '../../../src/rag/llm/openai.js';
import { QdrantRetrieval } from '../../../src/rag/retrieval/qdrant.js';
import { type Fault, FaultyProxy } from '../../support/faulty-proxy.js';
import { json, type ReceivedRequest, ScriptedServer } from '../../support/http-server.js';
import { answering, events, streaming } from '../../support/openai-script.js';
import { PostgresServer } from '../../support/postgres-server.js';
import { RunningRagApi, ragApiSettings } from '../../support/rag-api.js';
import { RotatingCredential } from '../../support/rag-parts.js';
import { until } from '../../support/until.js';
import type { Dependency } from './degradation-table.js';

const EMBEDDING = { model: 'embedder', dimension: 3 };
const LIMITS = { firstTokenSeconds: 1, idleSeconds: 1, totalSeconds: 10 };
const EMBED_TIMEOUT_MS = 1000;

/** A web server that is something else: what a wrong address, or a proxy in between, answers with. */
const PAGE = '<html>It works!</html>';
const RUBBISH_HTTP = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${PAGE.length}\r\n\r\n${PAGE}`;
const RUBBISH = randomBytes(64).toString('latin1');

/** The API with the clients of its dependencies as they are deployed, each of them before a server that can have faults. */
export class DegradedApi {
  private constructor(
    readonly api: RunningRagApi,
    readonly postgres: PostgresServer,
    private readonly proxies: Readonly<Record<Dependency, FaultyProxy>>,
    private readonly llm: ScriptedServer,
    private readonly closing: readonly { close(): Promise<unknown> }[],
    /** Connections to PostgreSQL that broke while nobody used them. */
    private readonly broken: { readonly idle: number },
  ) {}

  static async start(noContext: 'refuse' | 'general' = 'refuse'): Promise<DegradedApi> {
    const postgres = await PostgresServer.start();
    const client = await postgres.connect();
    await migrate(client);
    await client.end();
    const llm = await ScriptedServer.start(answering('Векторная', ' база'));
    const qdrant = await ScriptedServer.start((request, response) => json(response, 200, searched(request)));
    const embedder = await ScriptedServer.start((_request, response) =>
      json(response, 200, { data: [{ index: 0, embedding: [1, 0, 0] }], model: EMBEDDING.model }),
    );
    const proxies = {
      LLM: await FaultyProxy.before(llm.url, RUBBISH_HTTP),
      Qdrant: await FaultyProxy.before(qdrant.url, RUBBISH_HTTP),
      embeddings: await FaultyProxy.before(embedder.url, RUBBISH_HTTP),
      PostgreSQL: await FaultyProxy.before(postgres.url('postgres').replace('postgresql', 'http'), RUBBISH),
    };
    // A login takes several answers of the server, each of them late.
    proxies.PostgreSQL.delayMs = 100;
    const url = (dependency: Dependency) => `http://127.0.0.1:${proxies[dependency].port}`;
    const broken = { idle: 0 };
    const parts = {
      llm: new OpenAiLlm({
        url: url('LLM'),
        model: 'saiga',
        sampling: ragApiSettings().llm.sampling,
        firstTokenMs: LIMITS.firstTokenSeconds * 1000,
        idleMs: LIMITS.idleSeconds * 1000,
      }),
      embedder: new OpenAiEmbedder({ url: url('embeddings'), ...EMBEDDING, timeoutMs: EMBED_TIMEOUT_MS }),
      history: new PostgresHistory({
        url: `postgresql://postgres@127.0.0.1:${proxies.PostgreSQL.port}/postgres`,
        logins: async () => [{ user: 'postgres', password: postgres.password }],
        onIdleError: () => (broken.idle += 1),
      }),
    };
    const retrieval = new QdrantRetrieval(
      url('Qdrant'),
      new RotatingCredential('key'),
      [{ name: 'BD_curs_data', language: 'russian', limit: 3, embedding: EMBEDDING }],
      parts.embedder,
    );
    const api = await RunningRagApi.start(
      { noContext, limits: LIMITS },
      { llm: parts.llm, retrieval, history: parts.history },
    );
    const clients = [...Object.values(parts), retrieval];
    return new DegradedApi(
      api,
      postgres,
      proxies,
      llm,
      [...clients, ...Object.values(proxies), llm, qdrant, embedder],
      broken,
    );
  }

  /** A hung PostgreSQL is its own processes, stopped where they are; everything else is the network. */
  async have(dependency: Dependency, fault: Fault): Promise<void> {
    if (dependency === 'PostgreSQL' && fault === 'hung') this.postgres.pause();
    else if (dependency === 'PostgreSQL' && fault === 'stopped') await this.postgres.stop();
    else if (dependency === 'PostgreSQL') {
      const noticed = this.broken.idle + this.proxies.PostgreSQL.clients;
      await this.proxies.PostgreSQL.have(fault);
      await until('the pool has noticed that its connections broke', () => this.broken.idle >= noticed);
    } else await this.proxies[dependency].have(fault);
  }

  /** The same in the middle of an answer, on the connections that are open. */
  async haveMidway(dependency: Dependency, fault: Exclude<Fault, 'none'>): Promise<void> {
    const ofProcesses = dependency === 'PostgreSQL' && (fault === 'hung' || fault === 'stopped');
    if (ofProcesses) await this.have(dependency, fault);
    else await this.proxies[dependency].haveMidway(fault);
  }

  /** The answers of the model stop after their first word until what this gives is called. */
  holdAnswers(): () => void {
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { role, text, finish, usage, done } = events;
    this.llm.handler = streaming(role(), text('Векторная'), held, text(' база'), finish(), usage(7, 2), done());
    return () => {
      this.llm.handler = answering('Векторная', ' база');
      goOn();
    };
  }

  async recover(dependency: Dependency, fault: Fault): Promise<void> {
    if (dependency === 'PostgreSQL' && fault === 'hung') this.postgres.resume();
    else if (dependency === 'PostgreSQL' && fault === 'stopped') await this.postgres.restart();
    else await this.proxies[dependency].have('none');
  }

  /** The value of a series; 0 while there is none. */
  async value(series: string): Promise<number> {
    const line = (await this.api.metric(series)).find((one) => one.startsWith(`${series} `));
    return Number(line?.slice(series.length) ?? 0);
  }

  async stop(): Promise<void> {
    await this.api.stop();
    for (const one of this.closing) await one.close();
    await this.postgres.remove();
  }
}

/** What Qdrant finds: one passage, by words, or by words and vectors. */
function searched({ path }: ReceivedRequest): object {
  const payload = { text: 'Векторная база хранит эмбеддинги.', source: 'lecture.md', title: 'Лекция', heading: '' };
  const point = { id: '00000000-0000-4000-8000-000000000001', version: 1, score: 1, payload };
  const result = { points: [point] };
  return { result: path.endsWith('/batch') ? [result, result] : result, status: 'ok', time: 0 };
}
