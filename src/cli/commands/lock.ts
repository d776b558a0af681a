import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadEnvironment } from '../../../config/load.js';
import { checkLock, planLock } from '../../../config/lock.js';
import { lockChanges } from '../../../config/lock-changes.js';
import { lockFileOf, serialiseLock } from '../../../config/lock-file.js';
import { writeAtomically } from '../../../config/write-file.js';
import { throwProblems } from '../../errors/problem.js';
import type { Io } from '../io.js';

interface Options {
  readonly check?: true;
  readonly accept?: string[];
}

/** `ragdock lock`: write down what an environment is promised. */
export function registerLock(program: Command, io: Io): void {
  program
    .command('lock')
    .description('write the promises of an environment into its lock file, which is committed')
    .argument('<env>', 'name or file of the environment')
    .option('--check', 'write nothing; fail when the lock file does not fit the environment')
    .option(
      '--accept <name...>',
      'break these promises on purpose, after moving the data: the id of a volume (its data lies in another volume from now on), ' +
        'the name of a collection (it is made otherwise), or postgres-major (the data is that of another major version)',
    )
    .action(async (env: string, options: Options) => {
      const environment = loadEnvironment(env, { cwd: io.cwd });
      const { promisesOf } = await import('../../../stacks/promises.js');
      const promises = promisesOf(environment.settings, environment.name);
      const file = lockFileOf(environment.file);
      if (options.check) {
        throwProblems(checkLock(environment, promises));
        io.stdout.write(`${file} fits ${environment.file}\n`);
        return;
      }
      const lock = planLock(environment, promises, options.accept);
      const changes = lockChanges(environment.lock, lock);
      if (environment.lock && changes.length === 0) {
        io.stdout.write(`${file} is up to date\n`);
        return;
      }
      writeAtomically(resolve(io.cwd, file), serialiseLock(lock, environment.name));
      io.stdout.write(`${file} written\n${changes.map((change) => `  ${change}\n`).join('')}`);
    });
}
