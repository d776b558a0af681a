import { existsSync, readFileSync } from 'node:fs';
import { HELP_COMMAND, RagdockCommand } from './command.js';
import { registerAsk } from './commands/ask.js';
import { registerCalibrate } from './commands/calibrate.js';
import { registerCompletion } from './commands/completion.js';
import { registerDoctor } from './commands/doctor.js';
import { registerDocuments } from './commands/documents.js';
import { registerEval } from './commands/eval.js';
import { registerIngest } from './commands/ingest.js';
import { registerInit } from './commands/init.js';
import { registerLock } from './commands/lock.js';
import { registerLogs } from './commands/logs.js';
import { registerModel } from './commands/model.js';
import { registerSecrets } from './commands/secrets.js';
import { registerSmoke } from './commands/smoke.js';
import { registerStatus } from './commands/status.js';
import { registerUp } from './commands/up.js';
import { registerValidate } from './commands/validate.js';
import type { Io } from './io.js';

/**
 * Adds one command to the program. A command throws `RagdockError` for everything that it wants reported, writes to
 * `io` alone, and loads what is slow to load when it runs, so that `--help` and completion stay quick.
 */
export type Register = (program: RagdockCommand, io: Io) => void;

/** The commands under the headings of the help. */
const COMMANDS: Readonly<Record<string, readonly Register[]>> = {
  'Try it:': [registerUp],
  'Describe a stack:': [registerInit, registerValidate, registerLock, registerSecrets],
  'Use a running stack:': [
    registerModel,
    registerIngest,
    registerDocuments,
    registerAsk,
    registerSmoke,
    registerStatus,
    registerLogs,
    registerDoctor,
  ],
  'Measure the search:': [registerEval, registerCalibrate],
  'This program:': [registerCompletion],
};

const AFTER_HELP = `
Exit codes:
  0    fine
  1    a check failed
  2    wrong input
  3    something could not be reached
  130  interrupted by Ctrl-C; 143 by SIGTERM

Variables:
  NO_COLOR=1       no colours
  RAGDOCK_DEBUG=1  the stack trace of a fault of ragdock itself

\`ragdock help <command>\` shows the options of a command, and examples.`;

/** The command line with all its commands, writing to `io`, throwing instead of exiting. */
export function buildProgram(io: Io): RagdockCommand {
  const program = new RagdockCommand('ragdock');
  program
    .description('Infrastructure as code for a self-hosted RAG and LLM stack.')
    .version(packageVersion(), '-V, --version', 'show the version')
    .usage('[options] <command>')
    .addHelpText('after', AFTER_HELP)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // A usage error is reported like every other problem, where all of them are.
      outputError: () => undefined,
      getOutHasColors: () => io.stdout.colour,
      getErrHasColors: () => io.stderr.colour,
    });
  for (const [heading, registers] of Object.entries(COMMANDS)) {
    program.commandsGroup(heading);
    for (const register of registers) register(program, io);
  }
  program.helpCommand(...HELP_COMMAND);
  return program;
}

/** The version in the package's own package.json, which is two folders up from the source and three from the build. */
function packageVersion(): string {
  const file = ['../../package.json', '../../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  if (!file) throw new Error(`no package.json above ${import.meta.url}`);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}
