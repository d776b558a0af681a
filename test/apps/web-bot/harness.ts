import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { io, type Socket } from 'socket.io-client';
import { onTestFinished, vi } from 'vitest';
import { loggerOptions } from '../../../src/apps/rag-api/logger.js';
import { buildWebBot } from '../../../src/apps/web-bot/app.js';
import { readAssets } from '../../../src/apps/web-bot/assets.js';
import type { BotFinished, Question, Receipt } from '../../../src/apps/web-bot/events.js';
import { DEFAULT_LIMITS, type WebBotLimits } from '../../../src/apps/web-bot/limits.js';
import { HttpRagApi } from '../../../src/apps/web-bot/rag-api.js';
import { WebBotSettings } from '../../../src/apps/web-bot/settings.js';
import type { Credential } from '../../../src/rag/ports.js';
import { KEY, ScriptedApi } from './scripted-api.js';

export const SESSION_KEY = 'canary-session-key';

type Chunk = { message_id: string; seq: number; text: string };
type BotSocket = Socket<
  {
    bot_typing: (event: { message_id: string; typing: boolean }) => void;
    bot_chunk: (event: Chunk) => void;
    bot_finished: (event: BotFinished) => void;
  },
  { send_message: (question: unknown, ack?: (receipt: Receipt) => void) => void }
>;

export interface Running {
  readonly app: FastifyInstance;
  readonly api: ScriptedApi;
  readonly url: string;
  /** Every log line so far. */
  readonly logs: () => string;
}

/** A web bot and its scripted API, each on a free port, until the test is over. */
export async function startBot(
  overrides: Partial<Omit<WebBotLimits, 'api'>> & { api?: Partial<WebBotLimits['api']> } = {},
  options: {
    apiUrl?: string;
    key?: Credential;
    trustedProxies?: string[];
    hosts?: string[];
    sessionKeys?: () => Promise<readonly string[]>;
  } = {},
): Promise<Running> {
  const limits = {
    ...DEFAULT_LIMITS,
    questionBurst: 1000,
    ...overrides,
    api: { ...DEFAULT_LIMITS.api, ...overrides.api },
  };
  const api = await ScriptedApi.start();
  const key = options.key ?? { current: () => KEY, refresh: async () => KEY };
  const client = new HttpRagApi(options.apiUrl ?? api.url, key, limits.api);
  let logs = '';
  const stream = new Writable({
    write(line, _encoding, done) {
      logs += line;
      done();
    },
  });
  const app = await buildWebBot({
    settings: {
      listen: { port: 0 },
      courses: ['demo', 'биология'],
      messageCharacters: 200,
      api: { firstTokenSeconds: 60, idleSeconds: 60, totalSeconds: 300 },
      limits: WebBotSettings.shape.limits.parse({}),
      trustedProxies: options.trustedProxies ?? [],
      hosts: options.hosts,
    },
    sessionKeys: options.sessionKeys ?? (async () => [SESSION_KEY]),
    api: client,
    assets: await readAssets(),
    limits,
    logger: { ...loggerOptions('trace'), stream },
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await app.close();
    await client.close();
    await api.stop();
  });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  return { app, api, url, logs: () => logs };
}

/** A connected client that writes down what it is told. */
export class Visitor {
  readonly told: { event: 'typing' | 'chunk' | 'finished'; id: string; data: unknown }[] = [];

  private constructor(readonly socket: BotSocket) {
    socket.on('bot_typing', ({ message_id: id, typing }) => this.told.push({ event: 'typing', id, data: typing }));
    socket.on('bot_chunk', (chunk) => this.told.push({ event: 'chunk', id: chunk.message_id, data: chunk }));
    socket.on('bot_finished', (end) => this.told.push({ event: 'finished', id: end.message_id, data: end }));
  }

  static async connect(url: string, transports = ['websocket']): Promise<Visitor> {
    const auth = { token: await sessionToken(url) };
    const socket: BotSocket = io(url, { transports, forceNew: true, reconnection: false, auth });
    onTestFinished(() => {
      socket.disconnect();
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return new Visitor(socket);
  }

  send(question: unknown): Promise<Receipt> {
    return this.socket.timeout(5_000).emitWithAck('send_message', question);
  }

  /** Send, and wait for the end of the answer. */
  async ask(question: Question): Promise<{ receipt: Receipt; text: string; finished: BotFinished }> {
    const receipt = await this.send(question);
    const finished = await this.finished(question.message_id);
    return { receipt, text: this.text(question.message_id), finished };
  }

  async finished(id: string): Promise<BotFinished> {
    return vi.waitFor(() => {
      const end = this.told.find((told) => told.event === 'finished' && told.id === id);
      if (!end) throw new Error(`no bot_finished for ${id}`);
      return end.data as BotFinished;
    }, WAIT);
  }

  chunks(id: string): Chunk[] {
    return this.told.filter((told) => told.event === 'chunk' && told.id === id).map(({ data }) => data as Chunk);
  }

  /** The text as a page would show it: a chunk with number 0 starts anew, and numbers have no gaps. */
  text(id: string): string {
    let text = '';
    let next = 0;
    for (const chunk of this.chunks(id)) {
      if (chunk.seq === 0) text = '';
      else if (chunk.seq !== next) throw new Error(`chunk ${chunk.seq} came where ${next} was due`);
      text += chunk.text;
      next = chunk.seq + 1;
    }
    return text;
  }

  async sees(id: string, text: string): Promise<void> {
    await vi.waitFor(() => {
      if (!this.text(id).includes(text)) throw new Error(`'${text}' has not come; there is '${this.text(id)}'`);
    }, WAIT);
  }
}

/** What opens a chat, as the page gets it. */
export async function sessionToken(url: string): Promise<string> {
  const response = await fetch(`${url}/session`);
  const { token } = (await response.json()) as { token: string };
  return token;
}

export const WAIT = { timeout: 10_000, interval: 5 };

let questions = 0;

/** A valid question under a new id. */
export function question(overrides: Partial<Question> = {}): Question {
  questions += 1;
  return {
    message_id: `question-${questions}`,
    message: 'Что такое осмос, canary-message?',
    user_name: 'Анна canary-name',
    course: 'demo',
    ...overrides,
  };
}
