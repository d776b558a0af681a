import { setTimeout as delay } from 'node:timers/promises';
import { Tally } from '../tally.js';
import type { Asker } from './asker.js';
import { ApiProblem } from './problems.js';

/** Longest wait for the replies of aborted answers to leave, in milliseconds; whoever aborts is done sooner as a rule. */
const LEAVING_MS = 1000;

/** How many answers may be on their way at once. */
export interface StreamLimits {
  readonly concurrentStreams: number;
  /** Of those, for the holders of one key. @default - three quarters */
  readonly streamsPerKey?: number | undefined;
  /** Of those, for one client address. @default - half */
  readonly streamsPerAddress?: number | undefined;
}

/** Answers on their way: counted, limited, and ended when the service stops. */
export class Streams {
  readonly #limits: { readonly [Key in keyof StreamLimits]-?: number };
  readonly #running = new Map<AbortController, Asker | undefined>();
  readonly #ofKey = new Tally();
  readonly #ofAddress = new Tally();
  #refusing = false;
  #onEmpty: () => void = () => undefined;

  constructor(limits: StreamLimits) {
    const { concurrentStreams } = limits;
    this.#limits = {
      concurrentStreams,
      streamsPerKey: limits.streamsPerKey ?? Math.ceil((concurrentStreams * 3) / 4),
      streamsPerAddress: limits.streamsPerAddress ?? Math.ceil(concurrentStreams / 2),
    };
  }

  get size(): number {
    return this.#running.size;
  }

  /**
   * A place for one answer, until `leave`. Throws `ApiProblem` when there is none.
   *
   * @param asker undefined where all clients are one
   */
  enter(asker: Asker | undefined): AbortController {
    const { concurrentStreams, streamsPerKey, streamsPerAddress } = this.#limits;
    if (this.#refusing) throw new ApiProblem('STOPPING');
    // First, since it is not this client's fault, however much it has.
    if (this.#running.size >= concurrentStreams) throw new ApiProblem('BUSY');
    if (asker) {
      if (this.#ofAddress.of(asker.address) >= streamsPerAddress) throw new ApiProblem('ADDRESS_BUSY');
      if (this.#ofKey.of(asker.key) >= streamsPerKey) throw new ApiProblem('KEY_BUSY');
    }
    const controller = new AbortController();
    this.#running.set(controller, asker);
    if (asker) {
      this.#ofAddress.add(asker.address);
      this.#ofKey.add(asker.key);
    }
    return controller;
  }

  leave(controller: AbortController): void {
    const asker = this.#running.get(controller);
    if (!this.#running.delete(controller)) return;
    if (asker) {
      this.#ofAddress.remove(asker.address);
      this.#ofKey.remove(asker.key);
    }
    if (this.#running.size === 0) this.#onEmpty();
  }

  /** Whether no new answers are begun: the service stops. */
  get refusing(): boolean {
    return this.#refusing;
  }

  refuse(): void {
    this.#refusing = true;
  }

  /** Resolves when the last answer has ended; those that have not after `graceMs` are aborted, and soon not waited for. */
  async end(graceMs: number): Promise<void> {
    if (this.#running.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    await Promise.race([empty, delay(graceMs, undefined, { ref: false })]);
    if (this.#running.size === 0) return;
    for (const controller of this.#running.keys()) controller.abort(new ApiProblem('STOPPING'));
    await Promise.race([empty, delay(LEAVING_MS, undefined, { ref: false })]);
  }
}
