import type Docker from 'dockerode';
import { OPERATOR_ASK_VARIABLES } from '../apps/operator/ask.js';
import { RagdockError } from '../errors/problem.js';
import { AskEvent, parseEvent } from './events.js';
import { newRun, runSession, sweepSessions } from './session.js';
import { SessionAccess } from './session-access.js';
import { planSession } from './session-plan.js';
import { type DescribedStack, deployedAppsImage, readInventory, requireRunning } from './stack.js';

/** Beyond the longest answer that the API gives: starting, connecting, reading the sources. In seconds. */
const MARGIN_SECONDS = 60;

export interface AskRequest {
  readonly message: string;
  readonly course: string;
  readonly user: string;
  readonly signal: AbortSignal;
  /** Told everything that happens, in order; an `error` is the last. */
  readonly onEvent: (event: AskEvent) => void;
}

/**
 * Ask one question of a running stack.
 *
 * @throws RagdockError API_REFUSED with the API's code; SESSION_FAILED when the API could not be asked, or the answer
 * broke off; STACK_NOT_DEPLOYED
 */
export async function askQuestion(docker: Docker, stack: DescribedStack, request: AskRequest): Promise<void> {
  const { environment, services, topology } = stack;
  const inventory = await readInventory(docker);
  requireRunning(topology, inventory, [services.api]);
  const deadlineSeconds = environment.settings.services.api.limits.totalSeconds + MARGIN_SECONDS;
  const { apiUrl: url, apiKeyFile: credential } = OPERATOR_ASK_VARIABLES;
  const plan = planSession(
    topology,
    {
      purpose: 'ask',
      command: ['operator-ask'],
      connections: [{ endpoint: services.api.http, url, credential }],
      deadlineSeconds,
      memoryMiB: 128,
    },
    new SessionAccess(topology, [services.api.http], inventory),
    { image: deployedAppsImage(stack, inventory), run: newRun() },
  );
  await sweepSessions(docker, topology.environment);

  let last: AskEvent | undefined;
  const question = { message: request.message, user_name: request.user, course: request.course };
  const { exitCode, diagnostics } = await runSession(docker, plan, {
    input: [`${JSON.stringify(question)}\n`],
    signal: request.signal,
    deadlineSeconds,
    onLine: (line) => {
      last = parseEvent(AskEvent, line);
      request.onEvent(last);
    },
  });
  if (last?.event === 'done') return;
  if (last?.event === 'error') throw refused(last, services.api.node.id);
  throw new RagdockError({
    code: 'SESSION_FAILED',
    message: `the session ended with ${exitCode} before the answer was complete${diagnostics === '' ? '' : `: ${diagnostics}`}`,
  });
}

/** Status 0: the API was not reached. Status 200: it began to answer. */
function refused({ status, code, detail }: Extract<AskEvent, { event: 'error' }>, service: string): RagdockError {
  const message = `${status >= 300 ? `${status} ` : ''}${code}: ${detail}`;
  return new RagdockError({ code: status === 0 ? 'SESSION_FAILED' : 'API_REFUSED', path: service, message });
}
