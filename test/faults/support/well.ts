import type { Deployment } from '../../deploy/support/deployment.js';
import { until } from '../../deploy/support/poll.js';
import { isReady } from './ask.js';

/** Longest wait for a stack to get well again, in seconds. */
const HEALING_SECONDS = 300;

/** Waits until nothing of a fault is left, and the stack can answer. */
export async function answersAgain(deployment: Deployment, isGone: () => Promise<boolean>): Promise<void> {
  await deployment.engine.allHealthy(HEALING_SECONDS);
  await until('the fault has gone', isGone, HEALING_SECONDS);
  await until('the API is ready', () => isReady(deployment), HEALING_SECONDS);
}
