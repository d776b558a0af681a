import { z } from 'zod';
import { codeOf, RagFailure } from '../../rag/failure.js';
import { QdrantError } from '../../rag/retrieval/qdrant-http.js';

/** How long a result is given again, in milliseconds: probes of several observers cost one check. */
const REMEMBERED_MS = 2000;

/** Longest check of one dependency, in milliseconds. */
const CHECK_TIMEOUT_MS = 2000;

/** What can be asked whether it works. */
export interface Checkable {
  check(signal: AbortSignal): Promise<void>;
}

const CheckResult = z.strictObject({
  ok: z.boolean(),
  ms: z.int().min(0),
  reason: z.string().optional().describe('A short word for what is wrong; the log has the cause'),
});
export type CheckResult = z.output<typeof CheckResult>;

/** What `/readyz` says. */
export const ReadinessReport = z.strictObject({
  ready: z.boolean(),
  checks: z.record(z.string(), CheckResult).describe('By dependency'),
});
export type ReadinessReport = z.output<typeof ReadinessReport>;

/** Asks every dependency whether it works, at most once in two seconds. */
export class Readiness {
  readonly #dependencies: Readonly<Record<string, Checkable>>;
  readonly #onFailure: (dependency: string, cause: unknown) => void;
  #report: Promise<ReadinessReport> | undefined;
  #askedAt = 0;

  constructor(
    dependencies: Readonly<Record<string, Checkable>>,
    onFailure: (dependency: string, cause: unknown) => void,
  ) {
    this.#dependencies = dependencies;
    this.#onFailure = onFailure;
  }

  report(): Promise<ReadinessReport> {
    const now = performance.now();
    if (!this.#report || now - this.#askedAt >= REMEMBERED_MS) {
      this.#askedAt = now;
      this.#report = this.#ask();
    }
    return this.#report;
  }

  async #ask(): Promise<ReadinessReport> {
    const entries = await Promise.all(
      Object.entries(this.#dependencies).map(async ([name, part]) => [name, await this.#check(name, part)] as const),
    );
    return { ready: entries.every(([, { ok }]) => ok), checks: Object.fromEntries(entries) };
  }

  async #check(name: string, part: Checkable): Promise<CheckResult> {
    const began = performance.now();
    const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
    const tooLate = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    try {
      await Promise.race([part.check(signal), tooLate]);
      return { ok: true, ms: Math.round(performance.now() - began) };
    } catch (cause) {
      this.#onFailure(name, cause);
      return { ok: false, ms: Math.round(performance.now() - began), reason: reasonOf(cause) };
    }
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof QdrantError || cause instanceof RagFailure) return cause.kind;
  return codeOf(cause) === 'TimeoutError' ? 'timeout' : 'failed';
}
