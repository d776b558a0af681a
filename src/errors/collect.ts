import { type Problem, RagdockError } from './problem.js';

/**
 * What `work` gives, or the problems that it throws, for callers that report the problems of several pieces of work
 * at once. Faults of ragdock itself pass through.
 */
export function collect<T>(work: () => T): { readonly value: T } | { readonly problems: readonly Problem[] } {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof RagdockError) return { problems: error.problems };
    throw error;
  }
}
