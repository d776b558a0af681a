import type { Environment } from '../../../config/environment.js';
import { localStateWarnings } from '../../../config/state.js';
import { FAILURES } from '../../errors/catalogue.js';
import { collect } from '../../errors/collect.js';
import { type Problem, throwProblems } from '../../errors/problem.js';
import type { RagdockCommand } from '../command.js';
import { Exit } from '../exit.js';
import { type Io, paint } from '../io.js';

interface Options {
  readonly json?: true;
  readonly print?: true;
}

/** `ragdock validate`: everything that is wrong with environments and their locks. Exit 0 or 2. */
export function registerValidate(program: RagdockCommand, io: Io): void {
  program
    .command('validate')
    .summary('tell everything that is wrong with environments')
    .description('tell everything that is wrong with environments and their lock files')
    .argument('[env...]', 'names or files of environments (default: all of config/environments)')
    .option('--json', 'print the problems as JSON')
    .option('--print', 'print all settings with the defaults filled in')
    .example('ragdock validate', 'all environments of the project')
    .example('ragdock validate dev --print', 'dev, with every default')
    .action(async (files: string[], options: Options) => {
      const { environments, problems } = await inspect(files, io.cwd);
      for (const warning of localStateWarnings(environments, io.env.CI)) io.stderr.write(warning);
      if (options.json) return printJson(io, environments, problems, options);
      throwProblems(problems);
      const { printSettings } = await import('../../../config/print.js');
      for (const { name, file, settings } of environments) {
        const printed = `---\n# ${file}\n${printSettings(settings)}`;
        io.stdout.write(options.print ? printed : `${paint(io.stdout, 'green', 'valid')}  ${name}  ${file}\n`);
      }
    });
}

async function inspect(files: readonly string[], cwd: string) {
  const { inspectEnvironments } = await import('../../../config/load.js');
  const { checkLock } = await import('../../../config/lock.js');
  const { environments, problems } = inspectEnvironments(files.length > 0 ? files : undefined, { cwd });
  // The model is the slowest part to load, and broken files do not get as far.
  const { promisesOf } = await import('../../../stacks/promises.js');
  const ofLocks = environments.flatMap((environment): readonly Problem[] => {
    const checked = collect(() => checkLock(environment, promisesOf(environment.settings, environment.name)));
    return 'value' in checked ? checked.value : checked.problems;
  });
  return { environments, problems: [...problems, ...ofLocks] };
}

function printJson(io: Io, environments: readonly Environment[], problems: readonly Problem[], options: Options): void {
  const report = {
    valid: problems.length === 0,
    environments: environments.map(({ name, file, settings }) => ({ name, file, ...(options.print && { settings }) })),
    problems: problems.map((problem) => ({ ...problem, remedy: problem.remedy ?? FAILURES[problem.code].remedy })),
  };
  io.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  if (problems.length > 0) throw new Exit(2);
}
