import { FAILURES, type FailureCode } from './catalogue.js';

/** Where a problem is: a file with 1-based line and column, and the path of keys inside it. */
export interface Place {
  /** Path as people know it: relative to the project's folder. @default - it is in no file */
  readonly file?: string | undefined;
  /** From 1 on. @default - unknown */
  readonly line?: number | undefined;
  /** From 1 on. @default - unknown */
  readonly column?: number | undefined;
  /** Keys from the root, joined by dots: `services.postgres.memory`. @default - unknown */
  readonly path?: string | undefined;
}

/** One thing that is wrong, with its place, the wrong value, and what to do about it. */
export interface Problem extends Place {
  /** What kind of failure it is. */
  readonly code: FailureCode;
  /** What is wrong, with the wrong value in it where that value is no secret. */
  readonly message: string;
  /** What to do. @default - the remedy of the code in the catalogue */
  readonly remedy?: string | undefined;
}

/** `CODE  file:line:column  path  what is wrong  what to do`, on one line and a remedy line. */
export function formatProblem(problem: Problem): string {
  const at = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  const head = [problem.code, at, problem.path].filter((part) => part !== undefined && part !== '').join('  ');
  return `${head}\n    ${problem.message}\n    → ${problem.remedy ?? FAILURES[problem.code].remedy}`;
}

/** All problems that were found, as text for a terminal, followed by their count. */
export function formatProblems(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return `${problems.map(formatProblem).join('\n')}\n${count}\n`;
}

/** What the user asked for cannot be done. Nothing in the library catches it; the command line prints it and exits. */
export class RagdockError extends Error {
  /** Always `RagdockError`. */
  override readonly name = 'RagdockError';
  /** Everything that is wrong, at least one. */
  readonly problems: readonly [Problem, ...Problem[]];

  /** The message is the problems as text, each with its place and remedy. */
  constructor(problems: Problem | readonly [Problem, ...Problem[]], options?: ErrorOptions) {
    const list = 'code' in problems ? ([problems] as const) : problems;
    super(formatProblems(list).trimEnd(), options);
    this.problems = list;
  }

  /** Code of the first problem. */
  get code(): FailureCode {
    return this.problems[0].code;
  }

  /** The exit code of a process that ends with this error. */
  get exitCode(): 1 | 2 | 3 {
    return FAILURES[this.code].exit;
  }
}

/** Throw every problem at once, or return when there is none. */
export function throwProblems(problems: readonly Problem[]): void {
  const [first, ...rest] = problems;
  if (first) throw new RagdockError([first, ...rest]);
}
