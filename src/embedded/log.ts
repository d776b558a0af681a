import { appendFileSync, renameSync, statSync } from 'node:fs';
import type { FastifyServerOptions } from 'fastify';
import { loggerOptions } from '../apps/rag-api/logger.js';

/** A log that has grown beyond this is put aside at the next start, in bytes. One old log is kept. */
const LARGEST = 5 * 1024 * 1024;

/** What people at a terminal are told of a line of the log. */
export interface Notice {
  readonly level: 'warn' | 'error' | 'fatal';
  /** One line: what happened and why. */
  readonly text: string;
}

interface LoggedLine {
  readonly level: string;
  readonly msg?: string;
  readonly component?: string;
  readonly dependency?: string;
  readonly err?: { readonly message: string };
}

/**
 * A logger of the apps that writes JSON lines to a file, where a developer looks for causes, and tells of warnings and
 * errors as they come. A line that the disk does not take is told and not kept.
 */
export function fileLogger(file: string, onNotice: (notice: Notice) => void): FastifyServerOptions['logger'] {
  const attempt = (work: () => void) => {
    try {
      work();
    } catch (error) {
      onNotice({ level: 'warn', text: `the log cannot be written: ${(error as Error).message}` });
    }
  };
  attempt(() => putAside(file));
  const write = (line: string) => {
    const notice = noticeOf(line);
    if (notice) onNotice(notice);
    attempt(() => appendFileSync(file, line, { mode: 0o600 }));
  };
  return { ...loggerOptions(), stream: { write } };
}

function putAside(file: string): void {
  const { size } = statSync(file, { throwIfNoEntry: false }) ?? { size: 0 };
  if (size > LARGEST) renameSync(file, `${file}.1`);
}

function noticeOf(line: string): Notice | undefined {
  if (!/"level":"(warn|error|fatal)"/.test(line)) return undefined;
  const { level, msg = '', component, dependency, err } = JSON.parse(line) as LoggedLine;
  if (level !== 'warn' && level !== 'error' && level !== 'fatal') return undefined;
  const subject = component ?? dependency;
  return { level, text: [msg, ...(subject ? [subject] : []), ...(err ? [err.message] : [])].join(': ') };
}
