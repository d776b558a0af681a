import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { formatJunit } from './junit.js';
import { formatMarkdown } from './markdown.js';
import { jsonOf, type SmokeReport } from './report.js';

/** Paths of the files that a report is written into, in its forms. */
export interface ReportPaths {
  /** `-` is no file. */
  readonly json?: string;
  readonly junit?: string;
  readonly markdown?: string;
}

/** The files of a report. */
export class ReportFiles {
  readonly #files: readonly {
    readonly path: string;
    readonly format: (report: SmokeReport) => string;
    /** Whether others write into the same file. */
    readonly shared: boolean;
  }[];

  /**
   * @param cwd folder that relative paths are meant from
   * @param summary file that steps of a GitHub job add their summaries to. @default - this is no such job
   */
  constructor(cwd: string, { json, junit, markdown }: ReportPaths, summary?: string) {
    const file = (path: string | undefined, format: (report: SmokeReport) => string) => {
      if (path === undefined) return [];
      const whole = resolve(cwd, path);
      return [{ path: whole, format, shared: summary !== undefined && whole === resolve(summary) }];
    };
    this.#files = [
      ...file(json === '-' ? undefined : json, jsonOf),
      ...file(junit, formatJunit),
      ...file(markdown, formatMarkdown),
    ];
  }

  /** Remove what an earlier run wrote. */
  clear(): void {
    for (const { path, shared } of this.#files) if (!shared) rmSync(path, { force: true });
  }

  write(report: SmokeReport): void {
    for (const { path, format, shared } of this.#files) (shared ? appendFileSync : writeFileSync)(path, format(report));
  }
}
