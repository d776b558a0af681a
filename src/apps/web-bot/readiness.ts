import type { ApiReadiness, RagApi } from './rag-api.js';

/** Asks the API whether it is ready, at most once per `readinessCacheMs` however often it is asked itself. */
export class Readiness {
  #known: { readonly state: Promise<ApiReadiness>; readonly askedAt: number } | undefined;

  constructor(
    private readonly api: RagApi,
    private readonly limits: { readonly readinessCacheMs: number; readonly readinessTimeoutMs: number },
  ) {}

  check(): Promise<ApiReadiness> {
    const now = performance.now();
    if (!this.#known || now - this.#known.askedAt >= this.limits.readinessCacheMs) {
      this.#known = {
        state: this.api.readiness(AbortSignal.timeout(this.limits.readinessTimeoutMs)),
        askedAt: now,
      };
    }
    return this.#known.state;
  }
}
