import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { localStateWarnings, stateFileOf } from '../config/state.js';
import { formatProblems, RagdockError } from './errors/problem.js';
import { synthesise } from './synth.js';

// The cdktf app: `cdktf synth|diff|deploy` run this file. RAGDOCK_ENV takes one environment alone.

const cwd = process.cwd();
const only = process.env.RAGDOCK_ENV || undefined;
try {
  const environments = synthesise({ cwd, only });
  for (const { name, settings } of environments) keepStatePrivate(stateFileOf(settings.state, name, cwd));
  for (const warning of localStateWarnings(environments, process.env.CI)) process.stderr.write(warning);
} catch (error) {
  if (!(error instanceof RagdockError)) throw error;
  process.stderr.write(`\n${formatProblems(error.problems)}`);
  if (only === undefined) {
    process.stderr.write('RAGDOCK_ENV=<name> takes one environment alone, whatever is wrong with the others.\n');
  }
  process.exitCode = error.exitCode;
}

/** Terraform makes a missing state file readable to everybody, and keeps the mode of one that exists. */
function keepStatePrivate(file: string | undefined): void {
  if (file === undefined) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) writeFileSync(file, '', { mode: 0o600 });
}
