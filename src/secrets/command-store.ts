import { isUtf8 } from 'node:buffer';
import { commandFor } from '../../config/secret-store.js';
import { maskSecrets } from '../apps/mask-secrets.js';
import type { Problem } from '../errors/problem.js';
import type { KnownSecret } from './inventory.js';
import { runProgram } from './run-program.js';
import { saidBy } from './said.js';

/** A program that prints one value: that of a vault, for instance. */
export interface CommandStore {
  /** Program and arguments with placeholders; no shell. A relative program is found from `cwd` on. */
  readonly command: readonly string[];
  readonly environment: string;
  readonly timeoutSeconds: number;
  /** The project's folder. */
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** Values that are known already, and must not be shown whatever the program writes. @default - none */
  readonly known?: readonly string[];
}

/** What the programs gave: a value or a problem for each secret, in the secrets' order. */
export interface Fetched {
  readonly values: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

/** Longest output. No value is near it. */
const MOST_BYTES = 64 * 1024;

/** Programs that run at once. */
const AT_ONCE = 4;

/**
 * Ask the command for the version in force of every secret. A value is what it prints, without one newline at the end,
 * when it ends with exit code 0. All of them are asked for, so that every problem is told at once.
 */
export async function askCommand(secrets: readonly KnownSecret[], store: CommandStore): Promise<Fetched> {
  const values = new Map<string, string>();
  const problems = new Map<string, Problem>();
  const waiting = [...secrets];
  const work = async (): Promise<void> => {
    for (let secret = waiting.shift(); secret && !store.signal.aborted; secret = waiting.shift()) {
      const answer = await ask(secret, store);
      if ('value' in answer) values.set(secret.name, answer.value);
      else problems.set(secret.name, answer.problem);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return {
    values,
    problems: secrets.flatMap(({ name }) => {
      const problem = problems.get(name);
      // The program may print on stderr what it printed for another secret.
      return problem ? [{ ...problem, message: maskSecrets(problem.message, [...values.values()]) }] : [];
    }),
  };
}

async function ask(
  { name, version }: KnownSecret,
  { command, environment, known = [], ...limits }: CommandStore,
): Promise<{ readonly value: string } | { readonly problem: Problem }> {
  const argv = commandFor(command, { env: environment, name, version: String(version) });
  const outcome = await runProgram(argv, { ...limits, mostBytes: MOST_BYTES });
  const failed = (message: string): { readonly problem: Problem } => ({
    problem: { code: 'SECRET_COMMAND_FAILED', path: name, message },
  });
  if ('failure' in outcome) {
    const said = saidBy(outcome.stderr, [...known, ...linesOf(outcome.stdout)]);
    return failed(`${argv[0]} ${outcome.failure}, asked for version ${version}${said}`);
  }
  if (!isUtf8(outcome.stdout)) return failed(`${argv[0]} printed something that is no text`);
  const value = outcome.stdout.toString('utf8').replace(/\n$/, '');
  return value === '' ? failed(`${argv[0]} printed nothing for version ${version}`) : { value };
}

/** A program that fails after it has printed a value may repeat it. */
const linesOf = (stdout: Buffer): readonly string[] =>
  stdout
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim());
