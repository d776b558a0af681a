import type { Environment } from '../../config/environment.js';
import { RagdockError } from '../errors/problem.js';
import { type EngineOptions, withEngine } from '../operator/docker.js';
import { masked } from '../operator/masked.js';
import { type CollectOptions, collectEvidence } from './collect.js';
import type { Evidence } from './evidence.js';
import { seeLock } from './see-lock.js';
import { seeUnreachable } from './unreachable.js';

/**
 * Evidence of an environment from its engine, or of why the engine cannot be asked: then what its files tell is all.
 *
 * @throws RagdockError what the engine refuses, but not that it cannot be reached
 */
export async function gatherEvidence(
  environment: Environment,
  options: CollectOptions,
  engine: EngineOptions,
): Promise<Evidence> {
  const { name, settings } = environment;
  const address = settings.host.docker;
  try {
    return await withEngine(address, engine, (docker) => collectEvidence(docker, environment, options));
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof RagdockError) || error.code !== 'ENGINE_UNREACHABLE') throw error;
    const unreachable = masked(await seeUnreachable(address, error), options.secrets);
    return { environment: name, address, lock: seeLock(environment).problems, unreachable };
  }
}
