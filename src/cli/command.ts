import { Command } from 'commander';

/** A command line that works, and what it does. */
export interface Example {
  readonly line: string;
  readonly does: string;
}

/** The command that shows help, of the program and of groups of commands. */
export const HELP_COMMAND = ['help [command]', 'show the help of a command'] as const;

/** Commander's command with examples, which its help shows and the reference of the command line lists. */
export class RagdockCommand extends Command {
  readonly #examples: Example[] = [];

  constructor(name?: string) {
    super(name);
    this.helpOption('-h, --help', 'show this help');
    this.configureHelp({ subcommandTerm: termOf });
    this.addHelpText('after', () => formatExamples(this.#examples));
  }

  override createCommand(name?: string): RagdockCommand {
    return new RagdockCommand(name);
  }

  example(line: string, does: string): this {
    this.#examples.push({ line, does });
    return this;
  }

  /** A copy; add to it with `example`. */
  get examples(): readonly Example[] {
    return [...this.#examples];
  }
}

/** A command in the list of commands: its arguments are a part of how it is called, its options are not. */
function termOf(command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    const shown = argument.variadic ? `${argument.name()}...` : argument.name();
    return argument.required ? `<${shown}>` : `[${shown}]`;
  });
  return [command.name(), ...words].join(' ');
}

function formatExamples(examples: readonly Example[]): string {
  if (examples.length === 0) return '';
  const lines = examples.map(({ line, does }) => `  # ${does}\n  ${line}\n`);
  return `\n${examples.length === 1 ? 'Example' : 'Examples'}:\n${lines.join('\n')}`.trimEnd();
}
