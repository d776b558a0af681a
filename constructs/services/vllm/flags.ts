import { nearest } from '../../../src/errors/nearest.js';
import { GONE, LEAST_ONE, OWNED, RANGES } from './flag-rules.js';
import { FLAG_TABLE } from './flag-table.js';

/** What a flag of `vllm serve` may be given, under its name without dashes. Mappings become JSON. */
export type VllmFlagValue =
  | string
  | number
  | boolean
  | readonly (string | number)[]
  | { readonly [key: string]: unknown };

/** Flags by name: `max-num-batched-tokens: 8192`. */
export type VllmFlags = Readonly<Record<string, VllmFlagValue>>;

/** One thing that is wrong with one flag. */
export interface VllmFlagProblem {
  /** The flag as it was written. */
  readonly flag: string;
  /** What is wrong with it. */
  readonly message: string;
  /** What to write instead. */
  readonly remedy: string;
}

type Kind = 'switch' | 'on' | 'int' | 'float' | 'amount' | 'amount-or-auto' | 'json' | 'json-or-text' | 'text';

interface Flag {
  /** Without dashes. */
  readonly name: string;
  readonly kind: Kind;
  readonly list: boolean;
  readonly choices: readonly string[];
}

/** Flags by every long name that the parser has for them. */
const FLAGS: ReadonlyMap<string, Flag> = new Map(
  FLAG_TABLE.trim()
    .split('\n')
    .flatMap((line) => {
      const [names = '', kind = '', choices = ''] = line.split(' | ');
      const [name = '', ...others] = names.split(' ').map((it) => it.replace(/^-+/, ''));
      const flag: Flag = {
        name,
        kind: kind.replace('+', '') as Kind,
        list: kind.endsWith('+'),
        choices: choices === '' ? [] : choices.split(' '),
      };
      return [name, ...others.filter((other) => names.includes(`--${other}`))].map((it) => [it, flag] as const);
    }),
);

/** Short names of flags, such as `tp`. */
const SHORT: ReadonlyMap<string, string> = new Map(
  [...FLAG_TABLE.matchAll(/^--(\S+) .*?(?<= )-(\w+) \|/gm)].map(([, name = '', short = '']) => [short, name]),
);

/** Everything that is wrong with `flags`, in their order. What the server's parser lets through wrongly is told as well. */
export function vllmFlagProblems(flags: Readonly<Record<string, unknown>>): readonly VllmFlagProblem[] {
  const seen = new Map<string, string>();
  return Object.entries(flags).flatMap(([written, value]) => {
    const { flag, fault: misnamed } = flagNamed(written);
    const first = flag && seen.get(flag.name);
    if (flag) seen.set(flag.name, first ?? written);
    const twice = first === undefined ? undefined : repeated(first);
    const fault = misnamed ?? twice ?? (flag && valueFault(flag, value));
    return fault ? [{ flag: written, ...fault }] : [];
  });
}

/** What is wrong with the value of one flag, whoever sets it. */
export function vllmFlagFault(name: string, value: unknown): readonly VllmFlagProblem[] {
  const flag = FLAGS.get(name);
  if (!flag) throw new Error(`vLLM has no flag ${name}`);
  const fault = valueFault(flag, value);
  return fault ? [{ flag: name, ...fault }] : [];
}

/** The flags as arguments of `vllm serve`, sorted by name, in the one spelling that its parser takes for every kind. */
export function vllmFlagArguments(flags: VllmFlags): readonly string[] {
  return Object.entries(flags)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => {
      if (value === true) return [`--${name}`];
      if (value === false) return FLAGS.get(name)?.kind === 'on' ? [] : [`--no-${name}`];
      if (Array.isArray(value) && FLAGS.get(name)?.list) return [`--${name}`, ...value.map(String)];
      // One argument with `=`: a value that starts with a dash would be taken for a flag.
      return [`--${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`];
    });
}

interface Fault {
  readonly message: string;
  readonly remedy: string;
}

const repeated = (first: string): Fault => ({
  message: `sets what ${first} sets already; the server would keep the last`,
  remedy: 'Remove one of the two.',
});

type Named = { readonly flag: Flag; readonly fault?: Fault } | { readonly flag?: undefined; readonly fault: Fault };

function flagNamed(written: string): Named {
  const bare = written.replace(/^-+/, '').replaceAll('_', '-');
  const gone = GONE[bare];
  if (gone)
    return { fault: { message: `vLLM 0.32.0 has no flag --${bare} any more and would not start`, remedy: gone } };
  const owned = OWNED[bare];
  if (owned) return { fault: { message: `--${bare} ${owned.why}`, remedy: owned.remedy } };
  const flag = FLAGS.get(bare);
  if (flag && bare !== written) {
    const message = written.startsWith('-')
      ? 'flags are named without dashes in front'
      : 'flags are spelled with dashes';
    return { flag, fault: { message: `${message}, got ${written}`, remedy: `Write \`${bare}\`.` } };
  }
  if (flag) return { flag };
  const positive = FLAGS.get(bare.replace(/^no-/, ''));
  if (bare.startsWith('no-') && positive) {
    return {
      fault: { message: `--${bare} is the negative of a switch`, remedy: `Write \`${positive.name}: false\`.` },
    };
  }
  return { fault: unknownFault(bare) };
}

function unknownFault(bare: string): Fault {
  const long = SHORT.get(bare);
  if (long !== undefined) return { message: `-${bare} is the short name of --${long}`, remedy: insteadOf(long) };
  const dotted = FLAGS.get(bare.split('.')[0] ?? '');
  if (bare.includes('.') && dotted) {
    const remedy = `Give \`${dotted.name}\` a mapping with all of its parts.`;
    return { message: `${bare} sets a part of --${dotted.name}`, remedy };
  }
  const begun = [...FLAGS.keys()].filter((name) => name.startsWith(bare));
  const [only] = begun;
  // The parser takes any beginning that is unique, so that a later version may take it for another flag.
  if (begun.length === 1 && only !== undefined) {
    return { message: `${bare} is an abbreviation of --${only}`, remedy: insteadOf(only) };
  }
  const meant = nearest(bare, FLAGS.keys());
  return {
    message: `vLLM 0.32.0 has no flag --${bare} and would not start`,
    remedy:
      meant === undefined
        ? 'Remove it; `vllm serve --help=all` lists every flag.'
        : (OWNED[meant]?.remedy ?? `Did you mean \`${meant}\`?`),
  };
}

const insteadOf = (name: string): string => OWNED[name]?.remedy ?? `Write \`${name}\`.`;

function valueFault(flag: Flag, value: unknown): Fault | undefined {
  if (flag.list) return listFault(flag, value);
  return scalarFault(flag, value);
}

function listFault(flag: Flag, value: unknown): Fault | undefined {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.length === 0) return { message: 'expected at least one value, got an empty list', remedy: 'Remove it.' };
  return values.map((item) => scalarFault(flag, item)).find((fault) => fault !== undefined);
}

function scalarFault(flag: Flag, value: unknown): Fault | undefined {
  const expected = (what: string, remedy: string): Fault => ({
    message: `expected ${what}, got ${show(value)}`,
    remedy,
  });
  switch (flag.kind) {
    case 'switch':
      return typeof value === 'boolean' ? undefined : expected('true or false', 'Write true or false, without quotes.');
    case 'on':
      return value === true
        ? undefined
        : expected('true', 'Write true, or remove the flag: it cannot be switched off.');
    case 'int':
      return intFault(flag, value, expected);
    case 'float':
      return typeof value === 'number' && Number.isFinite(value)
        ? rangeFault(flag, value, expected)
        : expected('a number', 'Write a number without a unit.');
    case 'amount':
    case 'amount-or-auto':
      return amountFault(flag, value, expected);
    case 'json':
    case 'json-or-text':
      return jsonFault(flag, value, expected);
    case 'text':
      return textFault(flag, value, expected);
    default:
      return flag.kind satisfies never;
  }
}

type Expected = (what: string, remedy: string) => Fault;

function intFault(flag: Flag, value: unknown, expected: Expected): Fault | undefined {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    return expected('a whole number', 'Write a whole number without a unit.');
  }
  return rangeFault(flag, value, expected) ?? choiceFault(flag, String(value), expected);
}

const UNITS: Readonly<Record<string, number>> = {
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/** `2k` is 2000 and `2K` is 2048, as the server's parser reads them. Undefined for what is no amount. */
export function amountOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  const [, digits, unit] = (typeof value === 'string' && /^(\d+(?:\.\d+)?)([kKmMgGtT])$/.exec(value)) || [];
  const amount = Number(digits) * (UNITS[unit ?? ''] ?? Number.NaN);
  return Number.isNaN(amount) ? undefined : Math.trunc(amount);
}

function amountFault(flag: Flag, value: unknown, expected: Expected): Fault | undefined {
  const amount = amountOf(value);
  return amount === undefined
    ? expected('a whole number, or one with a unit like 2k (2000) or 2K (2048)', 'Write the number alone.')
    : rangeFault(flag, amount, expected);
}

function jsonFault(flag: Flag, value: unknown, expected: Expected): Fault | undefined {
  if (typeof value === 'object' && value !== null) return undefined;
  if (typeof value === 'string' && (flag.kind === 'json-or-text' ? value !== '' : isJson(value))) return undefined;
  return expected('a mapping', 'Write a mapping; it becomes the JSON that the server wants.');
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}

function textFault(flag: Flag, value: unknown, expected: Expected): Fault | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text === '')
    return expected('a text', 'Write one, in quotes if it looks like a number.');
  if (text.includes('\0')) return expected('a text without NUL', 'Remove the character.');
  return choiceFault(flag, text, expected);
}

function choiceFault(flag: Flag, text: string, expected: Expected): Fault | undefined {
  if (flag.choices.length === 0 || flag.choices.includes(text)) return undefined;
  const meant = nearest(text, flag.choices);
  return expected(
    `one of ${flag.choices.join(', ')}`,
    meant === undefined ? 'Choose one of them.' : `Did you mean \`${meant}\`?`,
  );
}

function rangeFault(flag: Flag, value: number, expected: Expected): Fault | undefined {
  const { least, most } = RANGES[flag.name] ?? { least: LEAST_ONE.has(flag.name) ? 1 : 0, most: undefined };
  if (value < least)
    return expected(`a number of at least ${least}`, 'The server would start and fail later; raise it.');
  if (most !== undefined && value > most) return expected(`a number of at most ${most}`, 'Lower it.');
  return undefined;
}

function show(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 57)}…` : json;
}
