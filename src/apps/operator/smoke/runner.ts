import { setTimeout as delay } from 'node:timers/promises';
import type { Board } from './board.js';
import { type Check, CheckFailure, type Finding, findingOf, type ServiceChecks, withSignal } from './check.js';
import { reaches, type SmokeLevel } from './level.js';
import type { CheckResult, SmokeEvent } from './protocol.js';

/** Longest attempt to find a service ready, and the pause before the next one, in milliseconds. */
const ATTEMPT_MS = 5000;
const PAUSE_MS = 1000;

/** Name of the first check of every service. */
export const READY = 'ready';

export interface RunContext {
  readonly board: Board;
  readonly report: (event: SmokeEvent) => void;
  /** Ends everything: the time is up, or nobody waits any more. */
  readonly signal: AbortSignal;
  /** Checks that were begun; one that was given up may still be cleaning up behind itself. */
  readonly begun: Set<Promise<void>>;
}

type Verdict = Pick<CheckResult, 'outcome' | 'because'> & Partial<Finding>;

/**
 * Ask one service everything, or with the level `up` whether it is ready alone. Never rejects: what goes wrong is a
 * result.
 */
export async function runService(
  service: ServiceChecks,
  context: RunContext,
  level: SmokeLevel = 'service',
): Promise<void> {
  const ready = await timed(service.id, READY, 'up', context, () => untilReady(service, context));
  if (!reaches(level, 'service')) return;
  for (const check of service.checks) {
    if (ready === 'passed') await runCheck(service, check, context);
    else skip(service.id, check.name, 'service', 'the service is not ready', [], context);
  }
}

/** Run one check and report on it. */
export async function runCheck(
  { id, needs }: Pick<ServiceChecks, 'id' | 'needs'>,
  check: Check,
  context: RunContext,
  level: CheckResult['level'] = 'service',
): Promise<CheckResult['outcome']> {
  // What was not even begun says nothing of the service: something before it took all the time.
  if (context.signal.aborted) {
    skip(id, check.name, level, 'the time was up', [], context);
    return 'skipped';
  }
  return timed(id, check.name, level, context, async () => {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(check.seconds * 1000)]);
    try {
      await withSignal(signal, () => {
        const work = check.run(signal);
        context.begun.add(work);
        return work;
      });
      return { outcome: 'passed' };
    } catch (error) {
      const finding = findingOf(error, { asked: check.name, expected: `an end within ${check.seconds} s` });
      return { outcome: 'failed', ...finding, ...blame(context.board.failedAmong(needs)) };
    }
  });
}

/** Report that a check was not run. */
export function skip(
  service: string,
  check: string,
  level: CheckResult['level'],
  why: string,
  because: readonly string[],
  { report }: RunContext,
): void {
  report({
    event: 'check',
    result: { service, check, level, outcome: 'skipped', seconds: 0, came: why, ...blame(because) },
  });
}

async function timed(
  service: string,
  check: string,
  level: CheckResult['level'],
  { board, report }: RunContext,
  work: () => Promise<Verdict>,
): Promise<CheckResult['outcome']> {
  const began = performance.now();
  const verdict = await work();
  const seconds = Math.round(performance.now() - began) / 1000;
  if (verdict.outcome === 'failed') {
    const reason = verdict.came ?? 'it failed';
    // With one thing wrong a service may still do all the others; without being ready it does none.
    if (check === READY) board.lose(service, reason);
    else board.fail(service, reason);
  }
  report({ event: 'check', result: { service, check, level, seconds, ...verdict } });
  return verdict.outcome;
}

async function untilReady(service: ServiceChecks, { board, report, signal }: RunContext): Promise<Verdict> {
  let last: Finding | undefined;
  for (;;) {
    // Looked at before the attempt, so that there is one more after the last hope is gone.
    const lost = board.failedAmong(service.needs);
    const [own] = board.lostAmong([service.id]);
    const finding = await attempt(service, signal);
    if (!finding) return { outcome: 'passed' };
    const { final, ...rest } = finding;
    if (final) return { outcome: 'failed', ...rest, ...blame(lost) };
    if (own !== undefined) return { outcome: 'failed', ...rest, came: board.reasonOf(own) ?? rest.came };
    if (lost.length > 0) return { outcome: 'failed', ...rest, ...blame(lost) };
    if (signal.aborted) {
      // The attempt that was cut off knows less than the one before it.
      const { came, ...question } = last ?? rest;
      return { outcome: 'failed', ...question, came: `${came}; and so until the time was up` };
    }
    if (rest.came !== last?.came) report({ event: 'waiting', service: service.id, for: rest.came });
    last = rest;
    const awake = new AbortController();
    const either = AbortSignal.any([signal, awake.signal]);
    await Promise.race([delay(PAUSE_MS, undefined, { signal: either }).catch(() => undefined), board.changed(either)]);
    awake.abort();
  }
}

async function attempt(
  { id, ready }: ServiceChecks,
  outer: AbortSignal,
): Promise<(Finding & { readonly final: boolean }) | undefined> {
  const signal = AbortSignal.any([outer, AbortSignal.timeout(ATTEMPT_MS)]);
  try {
    await withSignal(signal, () => ready(signal));
    return undefined;
  } catch (error) {
    const finding = findingOf(error, { asked: `whether ${id} is ready`, expected: 'an answer' });
    return { ...finding, final: error instanceof CheckFailure && error.final };
  }
}

const blame = (because: readonly string[]): Pick<CheckResult, 'because'> =>
  because.length === 0 ? {} : { because: [...because] };
