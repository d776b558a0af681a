import type { Argument, Command, Option } from 'commander';

/** A word that may come next. */
export interface Candidate {
  readonly word: string;
  /** What it means; shells that can show it do. */
  readonly hint: string;
}

/** Services of an environment, which are not known before it is read. */
export interface ServicesOf {
  readonly servicesOf: string;
  /** What was typed of the service. */
  readonly begun: string;
}

/** What may come next on a command line: one of some words, a service, or the path of a file. */
export type Candidates = readonly Candidate[] | ServicesOf | 'files';

/** What stands for a value in the help, and where its values come from. */
export const PLACEHOLDERS = {
  env: 'environments',
  file: 'files',
  folder: 'files',
  path: 'files',
  command: 'commands',
  address: 'anything',
  name: 'anything',
  number: 'anything',
  document: 'anything',
  question: 'anything',
  seconds: 'anything',
  version: 'anything',
  service: 'services',
  time: 'anything',
  tokens: 'anything',
  url: 'anything',
  words: 'anything',
} as const satisfies Record<string, 'environments' | 'services' | 'files' | 'commands' | 'anything'>;

/**
 * The words that may come next, with what was typed of the next one as their beginning.
 *
 * @param typed the words behind the program's name up to the cursor; the last one is not finished, and may be empty
 * @param environments names of the environments that there are
 */
export function candidates(
  program: Command,
  typed: readonly string[],
  environments: () => readonly string[],
): Candidates {
  const last = typed.at(-1) ?? '';
  // Some shells take an = for a word of its own.
  const begun = last === '=' ? '' : last;
  const place = follow(program, typed.slice(0, -1));
  if (!place) return [];
  const source: Source = { program, environments, given: place.given };
  if (place.value) return valuesOf(place.value, begun, source);
  if (begun.startsWith('-') && !place.operandsOnly) {
    const [, flag = '', value] = /^(--[^=]+)=(.*)$/s.exec(begun) ?? [];
    return value === undefined ? flags(place, begun) : withFlag(place, flag, value, source);
  }
  if (place.variadic) return valuesOf(place.variadic, begun, source);
  if (place.positional === 0 && place.command.commands.length > 0)
    return startingWith(begun, commandsOf(place.command));
  const { registeredArguments } = place.command;
  const argument = registeredArguments[place.positional] ?? registeredArguments.at(-1);
  const wanted = argument && (place.positional < registeredArguments.length || argument.variadic);
  return wanted ? valuesOf(argument, begun, source) : [];
}

/** Where a command line has got to. */
interface Place {
  command: Command;
  /** How many arguments the command has. */
  positional: number;
  /** Those arguments. */
  readonly given: string[];
  /** The option whose value has to come next. */
  value: Option | undefined;
  /** The option that takes every word up to the next option. */
  variadic: Option | undefined;
  readonly used: Set<Option>;
  /** Behind `--`, where a dash begins no option. */
  operandsOnly: boolean;
}

/** The place behind finished words; undefined when there is no such command. */
function follow(program: Command, words: readonly string[]): Place | undefined {
  const place: Place = {
    command: program,
    positional: 0,
    given: [],
    value: undefined,
    variadic: undefined,
    used: new Set(),
    operandsOnly: false,
  };
  for (const word of words) {
    if (place.value) {
      if (word !== '=') place.value = undefined;
    } else if (word.startsWith('-') && word !== '-' && !place.operandsOnly) {
      afterFlag(place, word);
    } else if (!place.variadic) {
      const below = place.positional === 0 ? allCommands(place.command).find((it) => it.name() === word) : undefined;
      if (!below && place.command.commands.length > 0) return undefined;
      if (below) place.command = below;
      else {
        place.positional += 1;
        place.given.push(word);
      }
    }
  }
  return place;
}

function afterFlag(place: Place, word: string): void {
  place.variadic = undefined;
  if (word === '--') {
    place.operandsOnly = true;
    return;
  }
  const [flag, value] = word.split('=', 2);
  const option = optionsOf(place.command).find(({ long, short }) => flag === long || flag === short);
  if (!option) return;
  place.used.add(option);
  if (value === undefined && option.required) place.value = option;
  if (option.variadic) place.variadic = option;
}

interface Source {
  readonly program: Command;
  readonly environments: () => readonly string[];
  readonly given: readonly string[];
}

function valuesOf(wanted: Argument | Option, begun: string, source: Source): Candidates {
  if (wanted.argChoices) return startingWith(begun, plain(wanted.argChoices));
  switch (PLACEHOLDERS[placeholderOf(wanted) as keyof typeof PLACEHOLDERS]) {
    case 'files':
      return 'files';
    case 'environments':
      // An environment can be named by its file.
      return begun.includes('/') ? 'files' : startingWith(begun, plain(source.environments()));
    case 'services':
      return { servicesOf: source.given[0] ?? '', begun };
    case 'commands':
      return startingWith(begun, commandsOf(source.program));
    default:
      return [];
  }
}

/** `--env=de`: the option is a part of the word. */
function withFlag({ command }: Place, flag: string, begun: string, source: Source): Candidates {
  const option = optionsOf(command).find(({ long }) => long === flag);
  const values = option ? valuesOf(option, begun, source) : [];
  if (values === 'files' || 'servicesOf' in values) return values;
  return values.map(({ word, hint }) => ({ word: `${flag}=${word}`, hint }));
}

function flags({ command, used }: Place, begun: string): readonly Candidate[] {
  const free = optionsOf(command).filter((option) => !used.has(option) || option.variadic);
  return startingWith(
    begun,
    free.map(({ long, short, description }) => ({ word: long ?? short ?? '', hint: description })),
  );
}

/** The word that stands for a value: `env` of `--env <env>`, `path` of `<path...>`. */
export function placeholderOf(wanted: Argument | Option): string {
  return 'flags' in wanted ? (/[<[]([\w-]+)/.exec(wanted.flags)?.[1] ?? '') : wanted.name();
}

/** Words that need no explanation. */
export const plain = (words: readonly string[]): readonly Candidate[] => words.map((word) => ({ word, hint: '' }));

/** Of some words, those that may be meant. */
export const startingWith = (begun: string, all: readonly Candidate[]): readonly Candidate[] =>
  all.filter(({ word }) => word.startsWith(begun));

const optionsOf = (command: Command): readonly Option[] => command.createHelp().visibleOptions(command);

/** With the one that shows help, which is not in the list of commands. */
const allCommands = (command: Command): readonly Command[] => command.createHelp().visibleCommands(command);

const commandsOf = (command: Command): readonly Candidate[] =>
  allCommands(command).map((it) => ({ word: it.name(), hint: it.summary() || it.description() }));
