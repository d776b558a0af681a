import { setTimeout as delay } from 'node:timers/promises';

export interface RetryOptions {
  /** How long to go on, in milliseconds. The last attempt may begin just before it and takes its own time. */
  readonly deadlineMs: number;
  /** Whether another attempt can help. */
  readonly isTransient: (error: unknown) => boolean;
  /** @default - retried until the deadline alone */
  readonly signal?: AbortSignal;
  /** Called before each wait. @default - nothing */
  readonly onRetry?: (error: unknown, waitMs: number) => void;
  /** Longest wait between attempts, in milliseconds. @default 2000 */
  readonly maxWaitMs?: number;
}

const FIRST_WAIT_MS = 100;

/** Runs `attempt` until it succeeds, fails for good, or the deadline has passed; then rejects with the last error. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const end = performance.now() + options.deadlineMs;
  for (let ceiling = FIRST_WAIT_MS; ; ceiling = Math.min(ceiling * 2, options.maxWaitMs ?? 2000)) {
    try {
      return await attempt();
    } catch (error) {
      // Jitter keeps several clients of a server that came back from calling in step.
      const waitMs = ceiling * (0.5 + Math.random() / 2);
      if (!options.isTransient(error) || performance.now() + waitMs > end) throw error;
      options.onRetry?.(error, waitMs);
      await delay(waitMs, undefined, options.signal ? { signal: options.signal } : {});
    }
  }
}
