import type { Argument, Option } from 'commander';
import { RagdockCommand } from './command.js';
import type { Io } from './io.js';
import { buildProgram } from './program.js';

/** `docs/commands.md`: every command with its arguments, options and examples, in the order of the help. */
export function commandsPage(): string {
  return [
    '# Commands\n\n',
    'Run them in the project’s folder, with `npx` before them where ragdock is installed in the project. `<env>` is the\n',
    'name of an environment, `dev`, or the path of its file. Every command has `--help`. Exit codes: 0 fine, 1 a check\n',
    'failed, 2 wrong input, 3 something could not be reached, 130 interrupted. Colours are for terminals alone, and\n',
    '`NO_COLOR=1` turns them off. [operating.md](operating.md) says when to run what.\n',
    ...commandsBelow(describedProgram()).map(section),
  ].join('');
}

/** The commands that do something, however deep, in the order of the help. */
export function commandsBelow(command: RagdockCommand): readonly RagdockCommand[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((below) => below instanceof RagdockCommand && command.commands.includes(below))
    .flatMap((below) =>
      below.commands.length > 0 ? commandsBelow(below as RagdockCommand) : [below as RagdockCommand],
    );
}

/** The command line of a process that nobody runs: to be read. */
export function describedProgram(): RagdockCommand {
  const nowhere = { write: () => undefined, isTTY: false, colour: false };
  const { signal } = new AbortController();
  const io: Io = { stdin: process.stdin, stdout: nowhere, stderr: nowhere, cwd: '/nonexistent', env: {}, signal };
  return buildProgram(io);
}

/** `ragdock secrets init`. */
export function fullName(command: RagdockCommand): string {
  return command.parent ? `${fullName(command.parent as RagdockCommand)} ${command.name()}` : command.name();
}

function section(command: RagdockCommand): string {
  const { examples, registeredArguments } = command;
  const name = fullName(command);
  // --help is with all of them.
  const options = command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help');
  const rows = [...registeredArguments.map(argumentRow), ...options.map(optionRow)];
  const description = command.description();
  return [
    `\n## ${name}\n\n`,
    `${description.charAt(0).toUpperCase()}${description.slice(1)}.\n\n`,
    `    ${name} ${command.usage()}\n`,
    rows.length === 0 ? '' : `\n| Argument or option | Meaning | Default |\n|---|---|---|\n${rows.join('')}`,
    `\n\`\`\`sh\n${examples.map(({ line, does }) => `${line} # ${does}\n`).join('')}\`\`\`\n`,
  ].join('');
}

const argumentRow = (argument: Argument): string =>
  row(argument.name(), argument.description + choices(argument), argument.required ? '*required*' : '');

function optionRow(option: Option): string {
  const fallback = option.defaultValue === undefined ? '' : `\`${[option.defaultValue].flat().join(' ')}\``;
  return row(option.flags, option.description + choices(option), option.mandatory ? '*required*' : fallback);
}

const choices = ({ argChoices }: Argument | Option): string => (argChoices ? `: ${argChoices.join(', ')}` : '');

/** A < outside of code would open an element that no page shows. */
const row = (what: string, text: string, fallback: string): string =>
  `| \`${what}\` | ${text.replaceAll('|', '\\|').replaceAll('<', '\\<')} | ${fallback} |\n`;
