import { resolve } from 'node:path';
import { throwProblems } from '../../errors/problem.js';
import type { RagdockCommand } from '../command.js';
import type { Io } from '../io.js';

interface Options {
  readonly check?: true;
  readonly accept?: string[];
}

/** `ragdock lock`: write down what an environment is promised. */
export function registerLock(program: RagdockCommand, io: Io): void {
  program
    .command('lock')
    .summary('write down what an environment is promised')
    .description('write the promises of an environment into its lock file, which is committed')
    .argument('<env>', 'name or file of the environment')
    .option('--check', 'write nothing; fail when the lock file does not fit the environment')
    .option(
      '--accept <name...>',
      'break these promises on purpose, after moving the data: the id of a volume (its data lies in another volume from now on), ' +
        'the name of a collection (it is made otherwise), or postgres-major (the data is that of another major version)',
    )
    .example('ragdock lock dev', 'after a change of dev.yaml that synth calls LOCK_STALE')
    .example('ragdock lock dev --check', 'in CI')
    .action((env: string, options: Options) => lock(env, options, io));
}

async function lock(env: string, options: Options, io: Io): Promise<void> {
  const { loadEnvironment } = await import('../../../config/load.js');
  const { checkLock, planLock } = await import('../../../config/lock.js');
  const { lockChanges } = await import('../../../config/lock-changes.js');
  const { lockFileOf, serialiseLock } = await import('../../../config/lock-file.js');
  const { writeAtomically } = await import('../../../config/write-file.js');
  const environment = loadEnvironment(env, { cwd: io.cwd });
  const { promisesOf } = await import('../../../stacks/promises.js');
  const promises = promisesOf(environment.settings, environment.name);
  const file = lockFileOf(environment.file);
  if (options.check) {
    throwProblems(checkLock(environment, promises));
    io.stdout.write(`${file} fits ${environment.file}\n`);
    return;
  }
  const planned = planLock(environment, promises, options.accept);
  const changes = lockChanges(environment.lock, planned);
  if (environment.lock && changes.length === 0) {
    io.stdout.write(`${file} is up to date\n`);
    return;
  }
  writeAtomically(resolve(io.cwd, file), serialiseLock(planned, environment.name));
  io.stdout.write(`${file} written\n${changes.map((change) => `  ${change}\n`).join('')}`);
}
