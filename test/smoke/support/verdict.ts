import { CheckFailure } from '../../../src/apps/operator/smoke/check.js';

/** The finding with which a check fails. */
export async function failureOf(check: Promise<unknown>): Promise<CheckFailure> {
  try {
    await check;
  } catch (error) {
    if (error instanceof CheckFailure) return error;
    throw error;
  }
  throw new Error('the check passed');
}
