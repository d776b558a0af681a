import { Argument } from 'commander';
import type { RagdockCommand } from '../command.js';
import { type Candidates, candidates } from '../completion/candidates.js';
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
      io.stdout.write(answer(candidates(program, words, () => listEnvironments(io.cwd))));
    });
}

function answer(found: Candidates): string {
  if (found === 'files') return 'files\n';
  return `words\n${found.map(({ word, hint }) => `${word}\t${hint}\n`).join('')}`;
}
