import type { Answer } from './answer.js';
import { Failure } from './failures.js';

/** The answers in flight and those that ended a short while ago, by `message_id`. */
export class Answers {
  readonly #byId = new Map<string, Answer>();

  constructor(private readonly limits: { readonly retentionMs: number; readonly retainedAnswers: number }) {}

  find(messageId: string): Answer | undefined {
    return this.#byId.get(messageId);
  }

  /** Know `answer` until some time after it has ended. */
  add(answer: Answer): void {
    const id = answer.question.message_id;
    this.#byId.set(id, answer);
    void answer.ended.then(() => {
      setTimeout(() => this.#forget(id, answer), this.limits.retentionMs).unref();
      this.#dropOldest();
    });
  }

  get inFlight(): Answer[] {
    return [...this.#byId.values()].filter((answer) => answer.isRunning);
  }

  /** Wait for the answers in flight, and stop those that are not done within `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    const running = this.inFlight;
    const late = setTimeout(() => {
      for (const answer of running) answer.abort(new Failure('restarting'));
    }, timeoutMs);
    await Promise.all(running.map((answer) => answer.ended));
    clearTimeout(late);
  }

  #forget(id: string, answer: Answer): void {
    if (this.#byId.get(id) === answer) this.#byId.delete(id);
  }

  #dropOldest(): void {
    const ended = [...this.#byId].filter(([, answer]) => !answer.isRunning);
    for (const [id, answer] of ended.slice(0, Math.max(0, ended.length - this.limits.retainedAnswers))) {
      this.#forget(id, answer);
    }
  }
}
