import { setTimeout as delay } from 'node:timers/promises';
import { newest } from '../../../src/apps/secret-file.js';
import type { BotFinished } from '../../../src/apps/web-bot/events.js';
import { openChat } from '../../deploy/support/chat.js';
import { QUESTION } from '../../deploy/support/deployment.js';

/** How one question ended. */
export interface Asked {
  readonly by: 'api' | 'chat';
  /** When it was asked and when it ended, in milliseconds of `performance.now`. */
  readonly from: number;
  readonly to: number;
  /** `answered` whole; `refused` with a status before the answer began; `broken` while it was written. */
  readonly outcome: 'answered' | 'refused' | 'broken';
  /** Status, code or reason, for people. */
  readonly detail: string;
  /** Parts that the answer had to do without; of the chat, which says only that there are some, `NOTICED`. */
  readonly degraded: readonly string[];
  /** Seconds that a refusal asks to wait. */
  readonly retryAfter?: number;
  readonly exchangeId?: string;
  readonly text?: string;
}

/** Where questions go, and with which key: path of the key's file without version. */
export interface Target {
  readonly api: string;
  readonly keyFile: string;
  readonly chat: string;
  readonly course: string;
}

/** What stands for the parts that an answer in the chat had to do without. */
export const NOTICED = 'noticed in the chat';

/** Between two questions of one asker, in milliseconds. The chat takes no more than its limit of questions. */
const PAUSE_MS = { api: 200, chat: 3000 } as const;

/** Longest that any question may take before it counts as broken, in milliseconds. */
const PATIENCE_MS = 240_000;

/** Questions that never cease: two askers at the API, which keep their key until it is refused, and one in the chat. */
export class Questions {
  readonly all: Asked[] = [];
  readonly #target: Target;
  #running = true;
  #key: string;
  readonly #askers: Promise<unknown>;

  private constructor(target: Target, key: string) {
    this.#target = target;
    this.#key = key;
    const api = () => this.#loop('api', () => this.#askApi());
    this.#askers = Promise.all([api(), api(), this.#loop('chat', () => this.#askChat())]);
  }

  static async start(target: Target): Promise<Questions> {
    return new Questions(target, await newest(target.keyFile));
  }

  /** No more questions; waits for those that are open. */
  async stop(): Promise<readonly Asked[]> {
    this.#running = false;
    await this.#askers;
    return this.all;
  }

  answered(by: Asked['by'], since = 0): number {
    return this.all.filter((asked) => asked.by === by && asked.outcome === 'answered' && asked.from >= since).length;
  }

  /** What the API has kept of an exchange; undefined when it has nothing. One after the other, at the pace that it allows. */
  async kept(exchangeId: string): Promise<{ readonly status: string; readonly answer: string } | undefined> {
    for (;;) {
      const response = await this.#fetch(`exchanges/${exchangeId}`, {});
      if (response.status === 200) return (await response.json()) as { status: string; answer: string };
      const said = await response.text();
      if (response.status === 404) return undefined;
      const retryAfterSeconds = Number(response.headers.get('retry-after') ?? 0);
      if (response.status !== 429 || retryAfterSeconds === 0) throw new Error(`${response.status} ${said}`);
      await delay(retryAfterSeconds * 1000);
    }
  }

  async #loop(by: Asked['by'], ask: () => Promise<Omit<Asked, 'by' | 'from' | 'to'>>): Promise<void> {
    while (this.#running) {
      const from = performance.now();
      const asked = await ask();
      this.all.push({ by, from, to: performance.now(), ...asked });
      await delay(PAUSE_MS[by]);
    }
  }

  async #askApi(): Promise<Omit<Asked, 'by' | 'from' | 'to'>> {
    let began: Partial<Asked> | undefined;
    try {
      const response = await this.#fetch('process_message', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ message: QUESTION, user_name: 'drill', course: this.#target.course }),
      });
      const degraded = (response.headers.get('x-rag-degraded') ?? '').split(', ').filter(Boolean);
      if (response.status !== 200) {
        const { code } = (await response.json()) as { code: string };
        const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
        const detail = `${response.status} ${code}`;
        return { outcome: 'refused', detail, degraded, ...(Number.isNaN(retryAfter) ? {} : { retryAfter }) };
      }
      const exchangeId = response.headers.get('x-exchange-id') ?? undefined;
      began = { degraded, ...(exchangeId === undefined ? {} : { exchangeId }) };
      const text = await response.text();
      return { outcome: 'answered', detail: '200', degraded, ...began, text };
    } catch (error) {
      const { message, cause } = error as Error;
      const detail = `${message}: ${cause instanceof Error ? cause.message : ''}`;
      return { outcome: began ? 'broken' : 'refused', detail, degraded: [], ...began };
    }
  }

  /** As the web bot does: with the key that it has, and with the newest one when that is refused. */
  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const send = (key: string) =>
      fetch(`${this.#target.api}/${path}`, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${key}` },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
    const response = await send(this.#key);
    if (response.status !== 401) return response;
    this.#key = await newest(this.#target.keyFile);
    return send(this.#key);
  }

  async #askChat(): Promise<Omit<Asked, 'by' | 'from' | 'to'>> {
    const socket = openChat(this.#target.chat);
    let text = '';
    try {
      const finished = new Promise<BotFinished>((resolve, reject) => {
        socket.on('bot_chunk', (chunk: { seq: number; text: string }) => {
          text = chunk.seq === 0 ? chunk.text : text + chunk.text;
        });
        socket.on('bot_finished', resolve);
        setTimeout(() => reject(new Error('never finished')), PATIENCE_MS).unref();
      });
      // It may come to that while the question itself is refused.
      finished.catch(() => undefined);
      await socket.timeout(PATIENCE_MS).emitWithAck('send_message', {
        message: QUESTION,
        user_name: 'drill',
        course: this.#target.course,
        message_id: crypto.randomUUID(),
      });
      const { ok, reason, exchange_id: exchangeId, text: sentence } = await finished;
      const detail = sentence ?? reason;
      if (!ok) return { outcome: text === '' ? 'refused' : 'broken', detail, degraded: [] };
      const degraded = sentence === undefined ? [] : [NOTICED];
      return { outcome: 'answered', detail, degraded, text, ...(exchangeId === null ? {} : { exchangeId }) };
    } catch (error) {
      return { outcome: text === '' ? 'refused' : 'broken', detail: String(error), degraded: [] };
    } finally {
      socket.disconnect();
    }
  }
}
