import type { AddressInfo } from 'node:net';
import { buildApp, type RagApi, type RagApiParts } from '../../src/apps/rag-api/app.js';
import { RagApiSettings } from '../../src/apps/rag-api/settings.js';
import { OpenAiLlm } from '../../src/rag/llm/openai.js';
import { type Handler, ScriptedServer } from './http-server.js';
import { answering } from './openai-script.js';
import { MemoryHistory, MemoryRetrieval, passage } from './rag-parts.js';

export const KEY = 'test-key-1';
export const OLDER_KEY = 'test-key-0';
export const WEB_BOT_KEY = 'web-bot-key-1';

const BEARER = { authorization: `Bearer ${KEY}` };

type Changes = { [Key in keyof RagApiSettings]?: Partial<RagApiSettings[Key]> } & { noContext?: 'refuse' | 'general' };

/** Settings as a deployment gives them, with some of them changed. */
export function ragApiSettings(changes: Changes = {}): RagApiSettings {
  return {
    listen: { port: 0, metricsPort: 0 },
    collections: [{ name: 'BD_curs_data', language: 'russian', limit: 3 }],
    courses: ['demo', 'Машинное обучение'],
    noContext: changes.noContext ?? 'refuse',
    llm: {
      model: 'saiga',
      contextTokens: 8192,
      systemPrompt: 'Ты - ассистент.',
      sampling: { temperature: 0.7, topP: 0.9, presencePenalty: 0, frequencyPenalty: 0, maxTokens: 512 },
      ...changes.llm,
    },
    limits: {
      ...RagApiSettings.shape.limits.parse({
        messageCharacters: 4000,
        concurrentStreams: 8,
        firstTokenSeconds: 10,
        idleSeconds: 10,
        totalSeconds: 20,
      }),
      ...changes.limits,
    },
    history: { ...RagApiSettings.shape.history.parse({}), ...changes.history },
    ...(changes.gate ? { gate: changes.gate } : {}),
  };
}

/** The API on a real socket, with a scripted model server, and retrieval and history in memory. */
export class RunningRagApi {
  readonly retrieval = new MemoryRetrieval(passage());
  readonly history = new MemoryHistory();
  readonly model: ScriptedServer;
  readonly log: string[] = [];
  readonly #llm: OpenAiLlm;
  #api: RagApi | undefined;

  private constructor(model: ScriptedServer, settings: RagApiSettings) {
    this.model = model;
    this.#llm = new OpenAiLlm({
      url: model.url,
      model: settings.llm.model,
      sampling: settings.llm.sampling,
      firstTokenMs: settings.limits.firstTokenSeconds * 1000,
      idleMs: settings.limits.idleSeconds * 1000,
    });
  }

  static async start(changes: Changes = {}, parts: Partial<RagApiParts> = {}): Promise<RunningRagApi> {
    const settings = ragApiSettings(changes);
    const running = new RunningRagApi(await ScriptedServer.start(answering('Да')), settings);
    running.#api = buildApp({
      settings,
      retrieval: running.retrieval,
      history: running.history,
      llm: running.#llm,
      apiKeys: { api: async () => [KEY, OLDER_KEY], webBot: async () => [WEB_BOT_KEY] },
      logger: { level: 'info', stream: { write: (line: string) => running.log.push(line) } },
      ...parts,
    });
    await running.#api.app.listen({ port: 0, host: '127.0.0.1' });
    return running;
  }

  get api(): RagApi {
    if (!this.#api) throw new Error('the API was not started');
    return this.#api;
  }

  get port(): number {
    return (this.api.app.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What the model server does with every request from now on. */
  set script(handler: Handler) {
    this.model.handler = handler;
  }

  ask(
    body: unknown = {},
    init: { key?: string | undefined; signal?: AbortSignal; headers?: Record<string, string> } = {},
  ) {
    const key = 'key' in init ? init.key : KEY;
    return fetch(`${this.url}/process_message`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...init.headers,
      },
      body:
        typeof body === 'string'
          ? body
          : JSON.stringify({ message: 'Что такое RAG?', user_name: 'Иван', course: 'demo', ...(body as object) }),
      ...(init.signal ? { signal: init.signal } : {}),
    });
  }

  get(path: string, key: string | undefined = KEY) {
    return fetch(`${this.url}${path}`, key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } });
  }

  /** Any request; a body goes as JSON. */
  send(method: string, path: string, body?: unknown, headers: Record<string, string> | undefined = BEARER) {
    return fetch(`${this.url}${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async metric(name: string): Promise<string[]> {
    const text = await this.api.metrics.registry.metrics();
    return text.split('\n').filter((line) => line.startsWith(name));
  }

  async stop(graceMs = 0): Promise<void> {
    await this.api.stop(graceMs);
    await this.#llm.close();
    await this.model.close();
  }
}
