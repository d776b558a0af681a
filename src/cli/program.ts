import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { registerAsk } from './commands/ask.js';
import { registerIngest } from './commands/ingest.js';
import { registerLock } from './commands/lock.js';
import { registerModel } from './commands/model.js';
import { registerSecrets } from './commands/secrets.js';
import { registerSmoke } from './commands/smoke.js';
import { registerUp } from './commands/up.js';
import { registerValidate } from './commands/validate.js';
import type { Io } from './io.js';

/**
 * Adds one command to the program. A command throws `RagdockError` for everything that it wants reported, writes to
 * `io` alone, and loads what is slow to load when it runs, so that `--help` stays quick.
 */
export type Register = (program: Command, io: Io) => void;

const COMMANDS: readonly Register[] = [
  registerUp,
  registerValidate,
  registerLock,
  registerSecrets,
  registerModel,
  registerIngest,
  registerAsk,
  registerSmoke,
];

/** The command line with all its commands, writing to `io`, throwing instead of exiting. */
export function buildProgram(io: Io): Command {
  const program = new Command('ragdock')
    .description('Infrastructure as code for a self-hosted RAG and LLM stack.')
    .version(packageVersion())
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
  for (const register of COMMANDS) register(program, io);
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
