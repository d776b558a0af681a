import { randomUUID } from 'node:crypto';
import { CitationFilter } from './citations.js';
import { ExchangeRecord, type Saved } from './exchange-record.js';
import { abortReason, RagFailure } from './failure.js';
import { searchedQuestion } from './follow-up.js';
import { passesGate } from './gate.js';
import { layOutPrompt } from './lay-out-prompt.js';
import { cleanText, isRussian, storableText } from './normalise.js';
import type { Answer, Component, ExchangeParts, Question } from './pipeline.js';
import type { ExchangeOutcome, ExchangeSource, Passage, Prompt, Usage } from './ports.js';
import type { FoundPassages } from './prompt.js';
import { retrieve } from './retrieve.js';
import { type OpenedAnswer, openAnswer } from './stream.js';

/** What is answered, without asking the model, when nothing was found and the mode is `refuse`. */
export const REFUSAL =
  'В материалах курса не нашлось ответа на этот вопрос. Попробуйте сформулировать его иначе или уточнить тему.';

/** The same for a question without a Cyrillic letter. */
export const ENGLISH_REFUSAL =
  'The course material has no answer to this question. Try to put it differently, or name the subject.';

/** One question on its way. Whatever happens, `#settle` runs once and decides how it ended. */
export class RunningExchange {
  /** Resolves when the exchange has ended and is saved, waits for the history, or is lost; never rejects. */
  readonly settled: Promise<void>;

  readonly #parts: ExchangeParts;
  readonly #question: Question;
  readonly #record: ExchangeRecord;
  readonly #started = performance.now();
  readonly #controller = new AbortController();
  readonly #deadline: NodeJS.Timeout;
  readonly #timings: Record<string, number> = {};
  readonly #degraded: Component[] = [];
  #sources: readonly ExchangeSource[] = [];
  #citations = new CitationFilter(0);
  #answer = '';
  #refused = false;
  #finishReason: string | undefined;
  #usage: Usage | undefined;
  #saving: Promise<Saved> | undefined;
  #resolveSettled: () => void = () => undefined;

  constructor(parts: ExchangeParts, question: Question, signal: AbortSignal) {
    this.#parts = parts;
    this.#question = { ...question, message: cleanText(question.message).trim() };
    this.settled = new Promise((resolve) => {
      this.#resolveSettled = resolve;
    });
    const abort = () => this.#controller.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    this.#deadline = setTimeout(() => {
      this.#controller.abort(new RagFailure('llm-timeout', `no complete answer within ${parts.settings.totalMs} ms`));
    }, parts.settings.totalMs);
    void this.settled.then(() => signal.removeEventListener('abort', abort));
    // Not left to the generator below: one that was never started, or that waits for a reader, would not see it.
    this.#controller.signal.addEventListener('abort', () => this.fail(abortReason(this.#controller.signal)), {
      once: true,
    });
    this.#record = new ExchangeRecord(parts, {
      id: randomUUID(),
      requestId: question.requestId,
      userName: question.userName,
      course: question.course,
      question: this.#question.message,
      model: parts.llm.model,
    });
  }

  async open(): Promise<Answer> {
    const { llm, settings } = this.#parts;
    // Asked for now and used later, so that no question waits for it once the collections were searched.
    void llm.tokenizer?.contextTokens();
    const found = await this.#retrieve();
    if (found.passages.length === 0 && settings.noContext === 'refuse') {
      this.#refused = true;
      await this.#announce();
      return this.#answerWith(this.#refusal());
    }
    const { opened, prompt } = await this.#ask(found);
    this.#timings.first_token = this.#elapsed();
    this.#parts.observer.began(this.#question, this.#timings.first_token);
    this.#sources = prompt.passages.map(sourceOf);
    await this.#announce();
    return this.#answerWith(this.#stream(opened));
  }

  /** Ends the exchange as failed or aborted, unless it has ended already. */
  fail(cause: unknown): void {
    void this.#settle(cause).catch(() => undefined);
  }

  get userName(): string {
    return this.#question.userName;
  }

  /** Nothing of it is saved any more, and its beginning is on its way no longer, when this resolves; never rejects. */
  forget(): Promise<void> {
    return this.#record.forget();
  }

  async #retrieve(): Promise<FoundPassages> {
    const { retrieval, settings, observer } = this.#parts;
    const began = this.#elapsed();
    const { message, course, history = [] } = this.#question;
    const searched = searchedQuestion(message, history);
    const retrieved = await retrieve(retrieval, searched, course, this.#signal);
    if (retrieved.embedMs !== undefined) this.#timings.embed = retrieved.embedMs;
    this.#timings.retrieval = this.#elapsed() - began;
    const { failures, vectorFailure } = retrieved;
    const passages = passesGate(searched, retrieved.passages, settings.gate ?? {}) ? retrieved.passages : [];
    observer.retrieved(this.#question, retrieved, passages);
    if (vectorFailure) this.#degrade('embeddings', vectorFailure);
    if (failures.size > 0) {
      const cause = new AggregateError([...failures.values()], `not searched: ${[...failures.keys()].join(', ')}`);
      this.#degrade('retrieval', cause);
      // "Nothing was found" would be a claim about collections that nobody looked into.
      if (passages.length === 0 && settings.noContext === 'refuse') {
        throw new RagFailure('retrieval-unavailable', 'the collections could not be searched', { cause });
      }
    }
    return { passages, isPartial: failures.size > 0 };
  }

  async #ask(found: FoundPassages): Promise<{ opened: OpenedAnswer; prompt: Prompt }> {
    const { llm, settings } = this.#parts;
    // What does not fit by an estimate, or by the count of parts, the server refuses: then with fewer passages.
    for (const share of [1, 0.5]) {
      let began = this.#elapsed();
      const prompt = await layOutPrompt(llm, settings, this.#question, found, share, this.#signal);
      this.#timings.prompt = this.#elapsed() - began;
      if (prompt.passages.length === 0 && settings.noContext === 'refuse') break;
      this.#citations = new CitationFilter(prompt.passages.length);
      began = this.#elapsed();
      try {
        const opened = await openAnswer(llm, prompt, this.#citations, this.#signal);
        this.#timings.prefill = this.#elapsed() - began;
        return { prompt, opened };
      } catch (error) {
        const refused = error instanceof RagFailure && error.kind === 'llm-context';
        if (refused) llm.tokenizer?.forget();
        const shorten = refused && (prompt.passages.length > 0 || prompt.messages.length > 2);
        if (!shorten || share < 1) throw error;
      }
    }
    throw new RagFailure('llm-context', 'the question leaves no room for a passage in the context of the model');
  }

  /** Waits, within its deadline, for the question to be saved. */
  async #announce(): Promise<void> {
    await this.#record.announce().catch((error: unknown) => this.#degrade('history', error));
    if (this.#signal.aborted) throw abortReason(this.#signal);
  }

  #answerWith(text: AsyncGenerator<string>): Answer {
    return {
      exchangeId: this.#record.announced ? this.#record.id : undefined,
      sources: this.#sources,
      degraded: [...this.#degraded],
      refused: this.#refused,
      timings: { ...this.#timings },
      text,
      ending: () => ({ finishReason: this.#finishReason, usage: this.#usage }),
      signal: this.#signal,
    };
  }

  async *#refusal(): AsyncGenerator<string> {
    this.#answer = isRussian(this.#question.message) ? REFUSAL : ENGLISH_REFUSAL;
    yield this.#answer;
    await this.#complete();
  }

  async *#stream({ first, rest }: OpenedAnswer): AsyncGenerator<string> {
    try {
      this.#answer = first;
      yield first;
      for await (const event of rest) {
        if (event.type === 'text') {
          this.#answer += event.text;
          yield event.text;
        } else {
          this.#timings.generation = this.#elapsed() - (this.#timings.first_token ?? 0);
          this.#finishReason = event.finishReason;
          this.#usage = event.usage;
        }
      }
    } catch (error) {
      this.fail(error);
      throw error;
    }
    await this.#complete();
  }

  /** Holds the clean end back until the exchange is saved, if the client was told that it would be. */
  async #complete(): Promise<void> {
    // Aborted while the reader took its time over the last piece, and on record as that: no clean end any more.
    if (this.#saving) throw abortReason(this.#signal);
    const saving = this.#settle(undefined);
    if (!this.#record.announced) return;
    const saved = await saving.catch((cause: unknown) => {
      throw new RagFailure('history-unavailable', 'the answer could not be saved', { cause });
    });
    if (saved === 'waiting') throw new RagFailure('history-unavailable', 'the answer was not saved in time');
  }

  /** The first call decides how the exchange ended; each call resolves, or rejects, with its saving. */
  #settle(failure: unknown): Promise<Saved> {
    if (this.#saving) return this.#saving;
    clearTimeout(this.#deadline);
    this.#timings.total = this.#elapsed();
    const outcome: ExchangeOutcome = {
      status: failure === undefined ? 'complete' : failure instanceof RagFailure ? 'error' : this.#statusOf(),
      answer: storableText(this.#answer),
      refused: this.#refused,
      sources: this.#sources.map((source) => ({ ...source, cited: this.#citations.used.includes(source.number) })),
      degraded: [...this.#degraded],
      timings: { ...this.#timings },
      finishReason: this.#finishReason,
      promptTokens: this.#usage?.promptTokens,
      completionTokens: this.#usage?.completionTokens,
      errorCode: failure instanceof RagFailure ? failure.kind : undefined,
    };
    this.#saving = this.#record.save(outcome);
    this.#saving.then(
      () => this.#resolveSettled(),
      (error: unknown) => {
        this.#parts.observer.lost(this.#record.id, error);
        this.#resolveSettled();
      },
    );
    // Whatever still runs for this question, in the model first of all, ends now.
    if (failure !== undefined && !this.#signal.aborted) this.#controller.abort(failure);
    this.#parts.observer.ended({ ...outcome, question: this.#question, exchangeId: this.#record.id, failure });
    return this.#saving;
  }

  #statusOf(): 'aborted' | 'error' {
    return this.#signal.aborted ? 'aborted' : 'error';
  }

  #degrade(component: Component, cause: unknown): void {
    this.#degraded.push(component);
    this.#parts.observer.degraded(this.#question, component, cause);
  }

  #elapsed(): number {
    return performance.now() - this.#started;
  }

  get #signal(): AbortSignal {
    return this.#controller.signal;
  }
}

/** Storable: somebody else's collection may hold what PostgreSQL refuses, and the whole exchange with it. */
function sourceOf(passage: Passage, index: number): ExchangeSource {
  const { collection, source, title, heading, score, text } = passage;
  return {
    number: index + 1,
    collection: storableText(collection),
    source: storableText(source),
    title: storableText(title),
    heading: storableText(heading),
    score,
    text: storableText(text),
  };
}
