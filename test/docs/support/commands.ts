import type { Command } from 'commander';
import { describedProgram } from '../../../src/cli/reference.js';

/** The `ragdock` commands of one line of a shell, as words without the program's name. */
export function commandsIn(line: string): readonly string[][] {
  const words = line.match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
  const comment = words.findIndex((word) => word.startsWith('#'));
  const commands: string[][] = [[]];
  for (const word of comment < 0 ? words : words.slice(0, comment)) {
    if (/^(&&|\|\|?|;)$/.test(word)) commands.push([]);
    else commands.at(-1)?.push(word);
  }
  return commands
    .map((command) => (command[0] === 'npx' ? command.slice(1) : command))
    .flatMap(([program, ...rest]) => (program === 'ragdock' ? [rest] : []));
}

/**
 * What is wrong with a command line: a command, an option or an argument that does not exist.
 *
 * @param complete whether it could be run as it is; otherwise arguments and options may be missing
 */
export function faultsOf(words: readonly string[], complete: boolean): readonly string[] {
  const { command, rest } = find(describedProgram(), words);
  const fault = (what: string) => [`ragdock ${words.join(' ')}: ${what}`];
  const given: string[] = [];
  let positional = 0;
  while (rest.length > 0) {
    const word = rest.shift() ?? '';
    if (!word.startsWith('-')) {
      positional += 1;
      continue;
    }
    if (word === '--help' || word === '--version') return [];
    const option = command.options.find(({ long, short }) => [long, short].includes(word.split('=')[0]));
    if (!option) return fault(`there is no option ${word}`);
    given.push(option.name());
    if ((option.required || option.optional) && !word.includes('=')) rest.shift();
    while (option.variadic && rest[0] !== undefined && !rest[0].startsWith('-')) rest.shift();
  }
  const { registeredArguments: wanted, commands } = command;
  if (positional > wanted.length && wanted.at(-1)?.variadic !== true) {
    return fault(commands.length > 0 ? 'there is no such command' : 'too many arguments');
  }
  if (!complete) return [];
  if (commands.length > 0) return fault('a command is missing');
  if (positional < wanted.filter(({ required }) => required).length) return fault('an argument is missing');
  const absent = command.options.filter((option) => option.mandatory && !given.includes(option.name()));
  return absent.flatMap((option) => fault(`${option.long} is missing`));
}

/** The deepest command that the words name, and the words behind it. */
function find(program: Command, words: readonly string[]): { command: Command; rest: string[] } {
  const [first, ...rest] = words;
  const below = program.commands.find((command) => command.name() === first);
  return below ? find(below, rest) : { command: program, rest: [...words] };
}
