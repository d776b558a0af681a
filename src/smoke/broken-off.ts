import { maskSecrets } from '../apps/mask-secrets.js';
import type { CheckResult } from '../apps/operator/smoke/protocol.js';
import { RagdockError } from '../errors/problem.js';
import type { SmokeOutcome } from './session.js';

/** In the place of a service, where no service is to blame. */
const SESSION = 'ragdock';

/** That the run broke off, as a result beside those that were known by then. */
export function brokenOffResult(error: unknown, secrets: readonly string[], seconds: number): CheckResult {
  const said = error instanceof RagdockError ? error.problems.map(({ message }) => message).join('; ') : String(error);
  return {
    service: SESSION,
    check: 'came to its end',
    level: 'up',
    outcome: 'failed',
    seconds,
    asked: 'the session that asks from inside',
    expected: 'a result of every check',
    came: maskSecrets(said, secrets),
  };
}

/**
 * A session that was over too early. It is of the apps that run; what is of another version may not understand what it is
 * asked.
 *
 * @param staleApps ids of the services that run another version of the apps
 */
export function endedEarly({ exitCode, diagnostics }: SmokeOutcome, staleApps: readonly string[]): RagdockError {
  const said = diagnostics === '' ? '' : `: ${diagnostics}`;
  const stale = staleApps.join(', ');
  return new RagdockError({
    code: 'SESSION_FAILED',
    message: `the session ended with ${exitCode} before every check had its result${said}`,
    ...(stale === '' ? {} : { remedy: `Deploy: ${stale} run another version of the apps than this one would deploy.` }),
  });
}
