/** A run, and those that are alive beside it, or may be. Runs are named after the time at which they began. */
export interface Runs {
  readonly run: string;
  readonly liveRuns: readonly string[];
}

/** What the name of a run ends with that no container shows: nobody can see whether it is alive. */
export const UNSEEN = '-unseen';

/** Age from which on such a run is over, in milliseconds; no smoke test takes as long. */
const UNSEEN_MS = 24 * 3600 * 1000;

/** Longest time from the naming of a run to the moment in which others can see it, in milliseconds. */
const HEAD_START_MS = 2000;

/**
 * Whether what another run left is nobody's any more. Runs begin with the time at which they began; one that began
 * after this one, or just before it, may be alive without being among those that were.
 */
export function leftoversOf({ run, liveRuns }: Runs): (other: string) => boolean {
  const began = beginOf(run);
  return (other) => {
    const age = other.endsWith(UNSEEN) ? UNSEEN_MS : HEAD_START_MS;
    return beginOf(other) < began - age && !liveRuns.includes(other);
  };
}

/** `20261122t100000z-3f9a1c` began at 10:00:00; what is no run began never. */
function beginOf(run: string): number {
  const [, date = '', time = ''] = /^(\d{8})t(\d{6})z-/.exec(run) ?? [];
  const [iso, clock] = [date.replace(/(..)(..)$/, '-$1-$2'), time.replace(/(..)(..)$/, ':$1:$2')];
  const began = Date.parse(`${iso}T${clock}Z`);
  return Number.isNaN(began) ? Number.POSITIVE_INFINITY : began;
}
