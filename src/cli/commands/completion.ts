import { Argument } from 'commander';
import type { RagdockCommand } from '../command.js';
import { type Candidate, candidates, plain, type ServicesOf, startingWith } from '../completion/candidates.js';
import { completionScript, SHELLS, type Shell } from '../completion/scripts.js';
import type { Io } from '../io.js';

/** `ragdock completion`: what a shell needs to complete command lines, and what it asks then. */
export function registerCompletion(program: RagdockCommand, io: Io): void {
  program
    .command('completion')
    .summary('print what completes command lines in a shell')
    .description('print the script that completes commands, options, environments and files in a shell')
    .addArgument(new Argument('<shell>', 'shell that reads the script').choices(SHELLS))
    .example('eval "$(ragdock completion bash)"', 'in ~/.bashrc; with zsh in its place, in ~/.zshrc')
    .example('ragdock completion fish | source', 'in ~/.config/fish/config.fish')
    .action((shell: Shell) => io.stdout.write(completionScript(shell)));
  program
    .command('complete', { hidden: true })
    .description('tell a shell what may come next; the first line says of what kind it is')
    .argument('[words...]', 'what was typed behind the name of the program, up to the cursor')
    .example('ragdock complete -- lock ""', 'what `ragdock lock` and a space may go on with')
    .action(async (words: string[]) => {
      const { listEnvironments } = await import('../../../config/environment-files.js');
      const found = candidates(program, words, () => listEnvironments(io.cwd));
      io.stdout.write(answer(typeof found === 'object' && 'servicesOf' in found ? await services(found, io) : found));
    });
}

/** The services and jobs of an environment; none of one that cannot be read. */
async function services({ servicesOf, begun }: ServicesOf, io: Io): Promise<readonly Candidate[]> {
  const { loadEnvironment } = await import('../../../config/load.js');
  const { RagdockError } = await import('../../errors/problem.js');
  const { wholeTopology } = await import('../../operator/stack.js');
  try {
    const { workloads } = wholeTopology(loadEnvironment(servicesOf, { cwd: io.cwd }));
    return startingWith(begun, plain(workloads.map(({ node }) => node.id)));
  } catch (error) {
    if (error instanceof RagdockError) return [];
    throw error;
  }
}

function answer(found: readonly Candidate[] | 'files'): string {
  if (found === 'files') return 'files\n';
  return `words\n${found.map(({ word, hint }) => `${word}\t${hint}\n`).join('')}`;
}
