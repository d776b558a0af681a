import { CommanderError } from 'commander';
import { FAILURES } from '../errors/catalogue.js';
import { formatProblems, type Problem, RagdockError } from '../errors/problem.js';
import { Exit, Interrupted } from './exit.js';
import { type Io, paint } from './io.js';
import { buildProgram } from './program.js';

/** Exit code after Ctrl-C: 128 and the number of SIGINT, as shells have it. */
export const INTERRUPTED = 130;

/**
 * Run one command line and give the exit code: 0 fine, 1 a check failed, 2 wrong input, 3 something could not be
 * reached, 130 interrupted. This is the only place that catches; what it catches, it prints.
 *
 * @param args without the program's own name
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    await buildProgram(io).parseAsync([...args], { from: 'user' });
    return io.signal.aborted ? INTERRUPTED : 0;
  } catch (error) {
    if (io.signal.aborted || error instanceof Interrupted) return INTERRUPTED;
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof Exit) return error.exitCode;
    const known = error instanceof CommanderError ? usageError(error) : error;
    if (known instanceof RagdockError) {
      io.stderr.write(highlightCodes(io, known.problems));
      return known.exitCode;
    }
    return reportFault(io, error);
  }
}

function usageError(error: CommanderError): RagdockError {
  // Without a command commander prints the help, and its error has nothing to add.
  if (error.code === 'commander.help') return new RagdockError({ code: 'USAGE', message: 'a command is missing' });
  const [message = '', hint] = error.message.replace(/^error: /, '').split('\n');
  return new RagdockError({ code: 'USAGE', message, remedy: hint?.replace(/^\((.*)\)$/, '$1') });
}

function highlightCodes(io: Io, problems: readonly Problem[]): string {
  const text = formatProblems(problems);
  return io.stderr.colour
    ? text.replace(/^[A-Z][A-Z0-9_]+(?= {2}|$)/gm, (code) => paint(io.stderr, 'red', code))
    : text;
}

/** A fault of ragdock itself: one line for people, the stack for whoever asks for it. */
function reportFault(io: Io, error: unknown): number {
  const cause = error instanceof Error ? error : new Error(String(error));
  const message = `${cause.name}: ${cause.message.split('\n', 1)[0]}`;
  io.stderr.write(highlightCodes(io, [{ code: 'INTERNAL', message }]));
  if (io.env.RAGDOCK_DEBUG === '1') io.stderr.write(`${cause.stack ?? message}\n`);
  return FAILURES.INTERNAL.exit;
}
