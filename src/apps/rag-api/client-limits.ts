import type { RateLimit } from '../rate-limit.js';
import type { Asker } from './asker.js';
import { ApiProblem } from './problems.js';

/** A hook that refuses clients that have asked too often, before their body is read: what is refused should cost little. */
export function refuseBeyond(rate: RateLimit): (request: { readonly asker: Asker | undefined }) => Promise<void> {
  return async ({ asker }) => {
    const waitMs = asker ? rate.take(asker.address) : 0;
    if (waitMs > 0) throw new ApiProblem('RATE_LIMITED', { retryAfterSeconds: Math.ceil(waitMs / 1000) });
  };
}

/**
 * A hook that refuses the web bot. It is reached by anybody who may chat, and has no use for other readers' histories:
 * whoever takes it over gets none.
 */
export async function refuseWebBot({ asker }: { readonly asker: Asker | undefined }): Promise<void> {
  if (asker?.key === 'web-bot') throw new ApiProblem('FORBIDDEN');
}
