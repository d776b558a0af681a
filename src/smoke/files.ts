import {
  accessSync,
  appendFileSync,
  constants,
  lstatSync,
  mkdirSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Problem, throwProblems } from '../errors/problem.js';
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

interface ReportFile {
  readonly path: string;
  readonly format: (report: SmokeReport) => string;
  /** Whether others write into the same file. */
  readonly shared: boolean;
}

/** The files of a report. */
export class ReportFiles {
  readonly #files: readonly ReportFile[];

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

  /**
   * Remove what an earlier run wrote, or empty it where a link leads to it. What is no regular file stays: as root one
   * would take away /dev/stdout.
   *
   * @throws RagdockError FILE_UNWRITABLE when one cannot be removed
   */
  clear(): void {
    this.#each(({ path, shared }) => {
      const there = shared ? undefined : lstatSync(path, { throwIfNoEntry: false });
      if (there?.isFile()) rmSync(path, { force: true });
      else if (there?.isSymbolicLink() && leadsToFile(path)) truncateSync(path);
    });
  }

  /**
   * Make the folders, and see that the files can be written, before there is a report to lose.
   *
   * @throws RagdockError FILE_UNWRITABLE with every file that cannot
   */
  prepare(): void {
    this.#each(({ path }) => {
      mkdirSync(dirname(path), { recursive: true });
      const there = statSync(path, { throwIfNoEntry: false });
      if (there?.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
      accessSync(there ? path : dirname(path), constants.W_OK);
    });
  }

  /** @throws RagdockError FILE_UNWRITABLE with every file that could not be written */
  write(report: SmokeReport): void {
    this.#each(({ path, format, shared }) => (shared ? appendFileSync : writeFileSync)(path, format(report)));
  }

  #each(work: (file: ReportFile) => void): void {
    const problems = this.#files.flatMap((file): Problem[] => {
      try {
        work(file);
        return [];
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === undefined) throw error;
        return [{ code: 'FILE_UNWRITABLE', file: file.path, message }];
      }
    });
    throwProblems(problems);
  }
}

/** Not by way of a descriptor of a process: what is behind that may have been written to just now. */
function leadsToFile(link: string): boolean {
  const ways = [link, resolve(dirname(link), readlinkSync(link))];
  return (
    !ways.some((it) => /^\/(dev|proc)\//.test(it)) && (statSync(link, { throwIfNoEntry: false })?.isFile() ?? false)
  );
}
