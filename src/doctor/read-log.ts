import { LOG_CAUSES, type LogCause, type Writer } from './log-causes.js';

/** What a log says. */
export interface ReadCause {
  readonly cause: LogCause;
  /** The lines that say it, the last of each kind, in their order. */
  readonly lines: readonly string[];
  /** The named groups of the last of them. */
  readonly groups: Readonly<Record<string, string>>;
}

/** Most lines that are shown as evidence. */
const MOST_LINES = 3;

/**
 * The most telling cause that the lines of a service hold, or undefined.
 *
 * @param lines oldest first
 * @param counts which causes count
 */
export function causeIn(
  lines: readonly string[],
  writer: Writer,
  counts: (cause: LogCause) => boolean = () => true,
): ReadCause | undefined {
  for (const cause of LOG_CAUSES) {
    if (!cause.writers.includes(writer) || !counts(cause)) continue;
    const found = lines.filter((line) => cause.line.test(line));
    const last = found.at(-1);
    if (last === undefined) continue;
    return { cause, lines: [...new Set(found)].slice(-MOST_LINES), groups: cause.line.exec(last)?.groups ?? {} };
  }
  return undefined;
}
