import type { SeenWorkload } from './evidence.js';
import type { ReadCause } from './read-log.js';

/** What stands for words of a log that are not shown. */
const LEFT_OUT = '…';

/**
 * What is shown of a workload's own words, lines of its log or the output of its probe: of one that holds a secret
 * which this machine cannot mask, only that there are some.
 */
export function shown({ unmaskable = [] }: SeenWorkload, words: readonly string[]): readonly string[] {
  if (unmaskable.length === 0 || words.length === 0) return words;
  return [
    `what it wrote is not shown: this machine does not know ${unmaskable.join(', ')}, and cannot mask it; --allow-unmasked shows it`,
  ];
}

/** A cause with as much of its lines as {@link shown} lets through; numbers tell no secret. */
export function shownCause(workload: SeenWorkload, { cause, lines, groups }: ReadCause): ReadCause {
  if ((workload.unmaskable ?? []).length === 0) return { cause, lines, groups };
  const left = Object.entries(groups).map(([name, value]) => [name, /^\d+$/.test(value) ? value : LEFT_OUT]);
  return { cause, lines: shown(workload, lines), groups: Object.fromEntries(left) };
}
