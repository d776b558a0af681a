import { type Dispatcher, request } from 'undici';
import { abortReason, RagFailure } from '../failure.js';
import { isStaleConnection, keptConnections, onceMore } from '../kept-connections.js';
import type { ChatMessage, Credential, Llm, LlmEvent, Prompt } from '../ports.js';
import { Arrivals } from './arrivals.js';
import { describeRefusal, failureOfTransport } from './openai-errors.js';
import { readChatEvent } from './openai-events.js';
import { ServerTokenizer } from './server-tokenizer.js';
import { SseDecoder } from './sse.js';
import { Upstream } from './upstream.js';

/** Longest wait for a TCP connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5000;

export interface OpenAiOptions {
  /** Base address, with or without `/v1`. */
  readonly url: string;
  readonly model: string;
  /** @default - no Authorization header */
  readonly credential?: Credential | undefined;
  readonly sampling: {
    readonly temperature: number;
    readonly topP: number;
    readonly presencePenalty: number;
    readonly frequencyPenalty: number;
    readonly maxTokens: number;
  };
  /** Longest wait for the first character of the answer, in milliseconds; the server's queue is part of it. */
  readonly firstTokenMs: number;
  /** Longest silence after that, in milliseconds. Comments of the stream do not count as a sign of life. */
  readonly idleMs: number;
}

/** Any server that speaks the OpenAI protocol: vLLM, llama.cpp, or a hosted one. */
export class OpenAiLlm implements Llm {
  readonly #options: OpenAiOptions;
  readonly #base: string;
  // What it says is watched here, token by token.
  readonly #agent = keptConnections({ connectMs: CONNECT_TIMEOUT_MS });

  readonly tokenizer: ServerTokenizer;

  constructor(options: OpenAiOptions) {
    this.#options = options;
    this.#base = options.url.replace(/\/+$/, '').replace(/\/v1$/, '');
    this.tokenizer = new ServerTokenizer((...asked) => this.#askJson(...asked), options.model);
  }

  get model(): string {
    return this.#options.model;
  }

  async *chat({ messages }: Prompt, signal: AbortSignal): AsyncGenerator<LlmEvent> {
    const upstream = new Upstream(signal, this.#options.firstTokenMs);
    let answering = false;
    try {
      upstream.waits();
      const response = await this.#post(messages, upstream.signal);
      upstream.came();
      const arrivals = new Arrivals(response.body);
      const decoder = new SseDecoder();
      let ending: Extract<LlmEvent, { type: 'end' }> | undefined;
      for (;;) {
        upstream.waits();
        const bytes = await arrivals.next();
        upstream.came();
        if (!bytes) {
          if (!ending) throw new RagFailure('llm-failed', 'the model server ended the stream without a finish_reason');
          yield ending;
          return;
        }
        // What came together goes on together: the more streams there are, the fewer steps each token costs.
        let text = '';
        let ended = false;
        let failure: unknown;
        try {
          for (const data of decoder.push(bytes)) {
            if (data === '[DONE]') {
              if (!ending) throw new RagFailure('llm-failed', 'the model server sent [DONE] without a finish_reason');
              ended = true;
              break;
            }
            const event = readChatEvent(data);
            if (event.progress) upstream.allow(this.#options.idleMs);
            text += event.text;
            if (event.finishReason !== undefined) {
              ending = { type: 'end', finishReason: event.finishReason, usage: ending?.usage };
            }
            if (event.usage && ending) ending = { ...ending, usage: event.usage };
          }
        } catch (error) {
          failure = error;
        }
        // The text before a fault was said all the same.
        if (text !== '') {
          answering ||= text.trim() !== '';
          yield { type: 'text', text };
        }
        if (failure !== undefined) throw failure;
        if (ended && ending) {
          upstream.release(arrivals);
          yield ending;
          return;
        }
      }
    } catch (error) {
      if (upstream.signal.aborted) throw abortReason(upstream.signal);
      throw error instanceof RagFailure ? error : failureOfTransport(error, answering);
    } finally {
      upstream.close();
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    const response = await this.#authorised((headers) =>
      request(`${this.#base}/v1/models`, { dispatcher: this.#agent, headers, signal }),
    ).catch((error: unknown) => {
      throw signal.aborted ? abortReason(signal) : failureOfTransport(error, false);
    });
    if (response.statusCode !== 200) throw await describeRefusal(response);
    const list = (await response.body.json()) as { data?: { id?: unknown }[] };
    const names = (list.data ?? []).map(({ id }) => id);
    if (!names.includes(this.model)) {
      throw new RagFailure('llm-failed', `the model server lists ${names.join(', ') || 'no model'}, not ${this.model}`);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #askJson(
    method: 'GET' | 'POST',
    path: string,
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<unknown> {
    const response = await this.#authorised((headers) =>
      request(`${this.#base}${path}`, {
        dispatcher: this.#agent,
        method,
        headers: { ...headers, ...(body ? { 'content-type': 'application/json' } : {}) },
        body: body ? JSON.stringify(body) : null,
        signal,
      }),
    );
    if (response.statusCode !== 200) throw await describeRefusal(response);
    return response.body.json();
  }

  async #post(messages: readonly ChatMessage[], signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { sampling } = this.#options;
    const body = JSON.stringify({
      model: this.model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
      temperature: sampling.temperature,
      top_p: sampling.topP,
      presence_penalty: sampling.presencePenalty,
      frequency_penalty: sampling.frequencyPenalty,
      max_tokens: sampling.maxTokens,
    });
    const send = (headers: Record<string, string>) =>
      request(`${this.#base}/v1/chat/completions`, {
        dispatcher: this.#agent,
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', accept: 'text/event-stream' },
        body,
        signal,
      });
    const response = await this.#authorised((headers) =>
      // Nothing of an answer has come, and a chat changes nothing on the server: asking twice is safe here only.
      onceMore(() => send(headers), isStaleConnection, signal),
    );
    if (response.statusCode !== 200) throw await describeRefusal(response);
    return response;
  }

  /** Sends, and once more with the key read anew when it was refused. Rejects when that one is refused, too. */
  async #authorised(
    send: (headers: Record<string, string>) => Promise<Dispatcher.ResponseData>,
  ): Promise<Dispatcher.ResponseData> {
    const { credential } = this.#options;
    if (!credential) return send({});
    const key = credential.current();
    const response = await send({ authorization: `Bearer ${key}` });
    if (response.statusCode !== 401) return response;
    await response.body.dump();
    const again = await send({ authorization: `Bearer ${await credential.refresh(key)}` });
    if (again.statusCode === 401) throw await describeRefusal(again, true);
    return again;
  }
}
