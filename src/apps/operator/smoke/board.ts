import { EventEmitter, once } from 'node:events';

/** Which services have failed, or are lost for this run, and who waits to hear of it. */
export class Board {
  readonly #failed = new Map<string, string>();
  readonly #lost = new Set<string>();
  readonly #changes = new EventEmitter().setMaxListeners(0);

  constructor(lost: Iterable<string> = []) {
    for (const service of lost) this.lose(service, 'its container has failed');
  }

  /** Something is wrong with this service. The first reason stays. */
  fail(service: string, reason: string): void {
    if (this.#failed.has(service)) return;
    this.#failed.set(service, reason);
    this.#changes.emit('change');
  }

  /** This service does not answer, and will not. */
  lose(service: string, reason: string): void {
    this.#lost.add(service);
    this.fail(service, reason);
  }

  /** Why a service failed; undefined while it did not. */
  reasonOf(service: string): string | undefined {
    return this.#failed.get(service);
  }

  failedAmong(services: readonly string[]): readonly string[] {
    return services.filter((service) => this.#failed.has(service));
  }

  lostAmong(services: readonly string[]): readonly string[] {
    return services.filter((service) => this.#lost.has(service));
  }

  /** Resolves after the next change, or when the signal aborts. */
  async changed(signal: AbortSignal): Promise<void> {
    await once(this.#changes, 'change', { signal }).catch(() => undefined);
  }
}
