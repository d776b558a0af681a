import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import type { ChatMessage } from '../../rag/ports.js';
import type { BotFinished, Question, Source } from './events.js';
import { Failure } from './failures.js';
import type { WebBotLimits } from './limits.js';
import type { AnswerStream, RagApi } from './rag-api.js';

/** How an answer ended; what `bot_finished` says, without the id. */
export type Outcome = Omit<BotFinished, 'message_id'>;

/** Who is told an answer. `begin` comes first, `end` last and once; an answer that is joined late comes as one text. */
export interface Reader {
  begin(): void;
  text(piece: string): void;
  end(outcome: Outcome): void;
}

/** Parts of the service whose absence does not change what the answer says. */
const UNNOTICED = new Set(['history']);
const DEGRADED_TEXT = 'Часть базы знаний сейчас недоступна: ответ может быть неполным.';

/** One question on its way through the API. It outlives the socket that asked it, for a while, and has one reader at a time. */
export class Answer {
  /** Resolves when the answer has ended, in whatever way. */
  readonly ended: Promise<void>;
  readonly #abort = new AbortController();
  readonly #startedAt = performance.now();
  #firstTextAt: number | undefined;
  #text = '';
  #exchangeId: string | null = null;
  #outcome: Outcome | undefined;
  #reader: Reader | undefined;
  #grace: NodeJS.Timeout | undefined;

  constructor(
    readonly question: Question,
    private readonly history: readonly ChatMessage[],
    private readonly clientAddress: string,
    private readonly api: RagApi,
    private readonly limits: WebBotLimits,
    private readonly log: FastifyBaseLogger,
  ) {
    this.ended = this.#run();
  }

  get isRunning(): boolean {
    return this.#outcome === undefined;
  }

  /** Whether it has ended and is whole. */
  get isComplete(): boolean {
    return this.#outcome?.ok === true;
  }

  /** What has come of it so far. */
  get text(): string {
    return this.#text;
  }

  /** Tell `reader` the answer from its beginning, and all that follows. A former reader is told nothing more. */
  attach(reader: Reader): void {
    clearTimeout(this.#grace);
    this.#reader = reader;
    reader.begin();
    if (this.#text !== '') reader.text(this.#text);
    if (this.#outcome) reader.end(this.#outcome);
  }

  /** `reader` is gone; unless another one comes within `graceMs`, the answer is given up. */
  detach(reader: Reader, graceMs: number): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    if (!this.isRunning) return;
    const giveUp = () => this.abort(new Failure('reader_left'));
    if (graceMs > 0) this.#grace = setTimeout(giveUp, graceMs).unref();
    else giveUp();
  }

  /** Stop it, upstream included. */
  abort(cause: Failure): void {
    this.#abort.abort(cause);
  }

  async #run(): Promise<void> {
    const deadline = setTimeout(() => this.abort(new Failure('answer_deadline')), this.limits.answerMs).unref();
    let outcome: Outcome;
    let failure: Failure | undefined;
    try {
      outcome = await this.#relay();
    } catch (error) {
      failure = error instanceof Failure ? error : new Failure('internal', {}, { cause: error });
      outcome = {
        ok: false,
        reason: failure.reason,
        exchange_id: this.#exchangeId,
        sources: null,
        text: failure.text,
      };
    } finally {
      clearTimeout(deadline);
      clearTimeout(this.#grace);
    }
    this.#outcome = outcome;
    this.#report(outcome, failure);
    this.#reader?.end(outcome);
  }

  async #relay(): Promise<Outcome> {
    const { signal } = this.#abort;
    const stream = await this.api.ask(this.question, this.history, this.clientAddress, signal);
    this.#exchangeId = stream.exchangeId;
    for await (const piece of stream.pieces) {
      this.#firstTextAt ??= performance.now();
      this.#text += piece;
      this.#reader?.text(piece);
    }
    if (this.#text.trim() === '') throw new Failure('answer_empty');
    const sources = await this.#sources(stream, signal);
    const noticed = stream.degraded.some((part) => !UNNOTICED.has(part));
    return {
      ok: true,
      reason: 'complete',
      exchange_id: stream.exchangeId,
      sources,
      ...(noticed ? { text: DEGRADED_TEXT } : {}),
    };
  }

  /** The answer is whole without its sources, so that a failure here costs no more than them. */
  async #sources({ exchangeId, sourceCount }: AnswerStream, abort: AbortSignal): Promise<readonly Source[] | null> {
    if (sourceCount === 0) return [];
    if (exchangeId === null) return null;
    const signal = AbortSignal.any([abort, AbortSignal.timeout(this.limits.sourcesMs)]);
    try {
      // ragdock's own API has saved the exchange before it ends the answer; another one may need a moment.
      for (let pause = 25; ; pause *= 2) {
        const sources = await this.api.sources(exchangeId, signal);
        if (sources) return sources;
        await delay(pause, undefined, { signal });
      }
    } catch (error) {
      this.log.warn({ err: error, exchangeId }, 'the sources of an answer are not available');
      return null;
    }
  }

  /** Ids, lengths and times only: what was asked, by whom and what was answered are not for the log. */
  #report(outcome: Outcome, failure: Failure | undefined): void {
    const { message_id: messageId, course } = this.question;
    const fields = {
      messageId,
      exchangeId: outcome.exchange_id,
      course,
      reason: outcome.reason,
      characters: this.#text.length,
      ...(this.#firstTextAt === undefined ? {} : { firstTextMs: Math.round(this.#firstTextAt - this.#startedAt) }),
      totalMs: Math.round(performance.now() - this.#startedAt),
    };
    if (!failure) this.log.info({ ...fields, sources: outcome.sources?.length ?? null }, 'answered');
    else if (failure.reason === 'aborted') this.log.info({ ...fields, code: failure.code }, 'answer given up');
    else this.log.error({ ...fields, code: failure.code, ...failure.detail, err: failure.cause }, 'answer failed');
  }
}
