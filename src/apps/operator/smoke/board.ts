import { EventEmitter, once } from 'node:events';

/** Which services have failed, and who waits to hear of it. */
export class Board {
  readonly #failed = new Map<string, string>();
  readonly #changes = new EventEmitter().setMaxListeners(0);

  constructor(failed: Iterable<string> = []) {
    for (const service of failed) this.#failed.set(service, 'its container has failed');
  }

  /** Nothing good will come of this service any more. The first reason stays. */
  fail(service: string, reason: string): void {
    if (this.#failed.has(service)) return;
    this.#failed.set(service, reason);
    this.#changes.emit('change');
  }

  /** Why a service failed; undefined while it did not. */
  reasonOf(service: string): string | undefined {
    return this.#failed.get(service);
  }

  failedAmong(services: readonly string[]): readonly string[] {
    return services.filter((service) => this.#failed.has(service));
  }

  /** Resolves after the next change, or when the signal aborts. */
  async changed(signal: AbortSignal): Promise<void> {
    await once(this.#changes, 'change', { signal }).catch(() => undefined);
  }
}
