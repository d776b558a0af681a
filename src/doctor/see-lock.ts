import { brokenPromises } from '../../config/broken-promises.js';
import type { Environment } from '../../config/environment.js';
import { checkLock, planLock } from '../../config/lock.js';
import { promisesOf } from '../../stacks/promises.js';
import { type Problem, RagdockError } from '../errors/problem.js';

/** What is wrong with a lock file, and the environment with one that fits it. */
export interface SeenLock {
  readonly problems: readonly Problem[];
  /** The environment to go on with: its own lock, or what `ragdock lock` would write. @default - none can be made */
  readonly environment: Environment | undefined;
}

/**
 * Compare the lock file of an environment with what it needs. Nothing is asked and nothing written: the rest of the
 * looking goes on with a lock that fits, so that a stale file does not hide what else is wrong.
 */
export function seeLock(environment: Environment): SeenLock {
  const promises = promisesOf(environment.settings, environment.name);
  const problems = checkLock(environment, promises);
  if (problems.length === 0) return { problems, environment };
  try {
    const broken = environment.lock ? brokenPromises(environment.lock, promises).map(({ name }) => name) : [];
    const lock = planLock(environment, promises, broken);
    return { problems, environment: { ...environment, lock } };
  } catch (error) {
    if (!(error instanceof RagdockError) || error.code !== 'NETWORK_POOL_EXHAUSTED') throw error;
    return { problems: [...problems, ...error.problems], environment: undefined };
  }
}
