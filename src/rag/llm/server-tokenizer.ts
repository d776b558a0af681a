import { z } from 'zod';
import type { Tokenizer } from '../ports.js';

/** Longest wait for one count, in milliseconds: it stands between the question and its answer. */
const COUNT_TIMEOUT_MS = 500;

/** How long what the server said of its context is taken for true, and how long a server that cannot count is not asked again. */
const REMEMBER_MS = 60_000;

/** Texts of one question that are being counted at once. */
const MOST_AT_ONCE = 8;

/** Counts that are kept: passages come again and again. */
const MOST_COUNTS = 2048;

/** `GET /v1/models`: vLLM has `max_model_len`, llama.cpp `meta.n_ctx`, the context of one of its slots; others have neither. */
const Models = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      max_model_len: z.int().positive().nullish(),
      meta: z.object({ n_ctx: z.int().positive().nullish() }).nullish(),
    }),
  ),
});

/** `GET /props` of a llama.cpp whose list of models does not have it. */
const Properties = z.object({ default_generation_settings: z.object({ n_ctx: z.int().positive() }) });

/** `POST /tokenize`: vLLM counts, llama.cpp gives the tokens. */
const Tokens = z.object({ count: z.int().min(0).optional(), tokens: z.array(z.unknown()) });

/** Sends one request to the model server; gives the parsed body of a 200. Rejects otherwise. */
export type AskJson = (
  method: 'GET' | 'POST',
  path: string,
  body: object | undefined,
  signal: AbortSignal,
) => Promise<unknown>;

/** The context and the tokenizer of a model server: vLLM's or llama.cpp's, as far as it has them. */
export class ServerTokenizer implements Tokenizer {
  readonly #ask: AskJson;
  readonly #model: string;
  readonly #counts = new Map<string, number>();
  #context: { readonly tokens: Promise<number | undefined>; readonly until: number } | undefined;
  #silentUntil = 0;

  constructor(ask: AskJson, model: string) {
    this.#ask = ask;
    this.#model = model;
  }

  contextTokens(): Promise<number | undefined> {
    if (!this.#context || this.#context.until <= Date.now()) {
      // What the server does not say now is not kept from a question: the setting serves instead.
      const tokens = this.#readContext(AbortSignal.timeout(COUNT_TIMEOUT_MS)).catch(() => undefined);
      this.#context = { tokens, until: Date.now() + REMEMBER_MS };
    }
    return this.#context.tokens;
  }

  async count(texts: readonly string[], signal: AbortSignal): Promise<readonly number[] | undefined> {
    if (this.#silentUntil > Date.now()) return undefined;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(COUNT_TIMEOUT_MS)]);
    const counts = new Map<string, number>();
    // A conversation repeats itself, and may be long: each text is counted once, and few of them at a time.
    const left = [...new Set(texts)];
    const countNext = async () => {
      for (let text = left.shift(); text !== undefined; text = left.shift()) {
        counts.set(text, await this.#countOne(text, limited));
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(MOST_AT_ONCE, left.length) }, countNext));
      return texts.map((text) => counts.get(text) ?? 0);
    } catch {
      left.length = 0;
      // A client that left says nothing about the server.
      if (!signal.aborted) this.#silentUntil = Date.now() + REMEMBER_MS;
      return undefined;
    }
  }

  forget(): void {
    this.#context = undefined;
  }

  async #readContext(signal: AbortSignal): Promise<number | undefined> {
    const { data } = Models.parse(await this.#ask('GET', '/v1/models', undefined, signal));
    const model = data.find(({ id }) => id === this.#model);
    const served = model?.max_model_len ?? model?.meta?.n_ctx;
    if (served) return served;
    const properties = await this.#ask('GET', '/props', undefined, signal);
    return Properties.parse(properties).default_generation_settings.n_ctx;
  }

  async #countOne(text: string, signal: AbortSignal): Promise<number> {
    const known = this.#counts.get(text);
    if (known !== undefined) return known;
    // `prompt` is for vLLM and `content` for llama.cpp; each ignores the other's.
    const body = { model: this.#model, prompt: text, content: text, add_special_tokens: false };
    const { count, tokens } = Tokens.parse(await this.#ask('POST', '/tokenize', body, signal));
    const counted = count ?? tokens.length;
    const [oldest] = this.#counts.keys();
    if (this.#counts.size >= MOST_COUNTS && oldest !== undefined) this.#counts.delete(oldest);
    this.#counts.set(text, counted);
    return counted;
  }
}
