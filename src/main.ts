import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatProblems, RagdockError } from './errors/problem.js';
import { synthesise } from './synth.js';

// The cdktf app: `cdktf synth|diff|deploy` run this file. RAGDOCK_ENV takes one environment alone.

const cwd = process.cwd();
const only = process.env.RAGDOCK_ENV || undefined;
try {
  for (const { name } of synthesise({ cwd, only })) keepStatePrivate(name);
} catch (error) {
  if (!(error instanceof RagdockError)) throw error;
  process.stderr.write(`\n${formatProblems(error.problems)}`);
  if (only === undefined) {
    process.stderr.write('RAGDOCK_ENV=<name> takes one environment alone, whatever is wrong with the others.\n');
  }
  process.exitCode = error.exitCode;
}

/** Terraform makes a missing state file readable to everybody, and keeps the mode of one that exists. */
function keepStatePrivate(environment: string): void {
  const folder = join(cwd, 'state');
  const file = join(folder, `${environment}.tfstate`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!existsSync(file)) writeFileSync(file, '', { mode: 0o600 });
}
