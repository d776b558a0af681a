import { ApiProblem } from './problems.js';

/** Answers on their way: counted, limited, and ended when the service stops. */
export class Streams {
  readonly #limit: number;
  readonly #running = new Set<AbortController>();
  #refusing = false;
  #onEmpty: () => void = () => undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#running.size;
  }

  /** A place for one answer, until `leave`. Throws `ApiProblem` when there is none. */
  enter(): AbortController {
    if (this.#refusing) throw new ApiProblem('STOPPING');
    if (this.#running.size >= this.#limit) throw new ApiProblem('BUSY');
    const controller = new AbortController();
    this.#running.add(controller);
    return controller;
  }

  leave(controller: AbortController): void {
    this.#running.delete(controller);
    if (this.#running.size === 0) this.#onEmpty();
  }

  refuse(): void {
    this.#refusing = true;
  }

  /** Resolves when the last answer has ended; those that have not after `graceMs` are aborted. */
  async end(graceMs: number): Promise<void> {
    if (this.#running.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    const timer = setTimeout(() => {
      for (const controller of this.#running) controller.abort(new Error('the service stops'));
    }, graceMs);
    await empty;
    clearTimeout(timer);
  }
}
