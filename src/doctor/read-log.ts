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
 * The most telling cause that the lines of a service hold, or undefined. Only what came last counts: a cause that was
 * mended is still in the log.
 *
 * @param lines from the service's last start on, oldest first
 */
export function causeIn(lines: readonly string[], writer: Writer): ReadCause | undefined {
  for (const cause of LOG_CAUSES) {
    if (!cause.writers.includes(writer)) continue;
    const found = lines.filter((line) => cause.line.test(line));
    const last = found.at(-1);
    if (last === undefined) continue;
    return { cause, lines: [...new Set(found)].slice(-MOST_LINES), groups: cause.line.exec(last)?.groups ?? {} };
  }
  return undefined;
}

/** A text of a cause with what is known in the place of `<name>`. What is not known stays as it is. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/<(\w+)>/g, (whole, name: string) => values[name] ?? whole);
}
