import { Composer, LineCounter, Parser } from 'yaml';
import type { Problem } from '../src/errors/problem.js';
import { convert } from './convert.js';
import type { Located, Mark } from './located.js';
import { explainFault, type Fault } from './yaml-faults.js';
import { offsetBelow } from './yaml-tokens.js';

/** Deepest nesting of a file, in levels. The deepest setting is seven levels down. */
const MAX_DEPTH = 64;

/** One fault in the structure drags others behind it; more of them than this tell nothing new. */
const MAX_FAULTS = 20;

export interface ParsedYaml {
  /** What the file holds as far as it could be read; undefined for an empty or hopeless file. */
  readonly root: Located | undefined;
  readonly problems: readonly Problem[];
  /** Lines above this one mean what they say; what follows a fault in the structure depends on how it is mended. */
  readonly trustedBefore: number;
}

/**
 * Parse one YAML 1.2 document and keep the places. Whatever the text is, this ends in bounded time and reports
 * problems instead of throwing: nesting is checked before anything recursive runs, aliases expand into a budget, and
 * keys are compared by a set instead of pairwise.
 */
export function parseYaml(text: string, file: string): ParsedYaml {
  const parsed = parseOnce(text, file);
  const lines = parsed.trustedBefore === Number.POSITIVE_INFINITY ? [] : text.split('\n');
  const tabs = parsed.problems.filter(({ line }) => /^ *\t/.test(lines[(line ?? 0) - 1] ?? ''));
  if (tabs.length === 0) return parsed;
  // A tab leaves open how deep its line is meant. When one width makes sense of the whole file, judge the rest by it.
  for (const width of [2, 4, 8]) {
    const spaced = text.replace(/^[ \t]+/gm, (indent) => indent.replaceAll('\t', ' '.repeat(width)));
    const guess = parseOnce(spaced, file);
    if (guess.trustedBefore === Number.POSITIVE_INFINITY) {
      return { ...guess, problems: [...tabs, ...guess.problems] };
    }
  }
  return parsed;
}

function parseOnce(text: string, file: string): ParsedYaml {
  const lines = new LineCounter();
  const mark = (offset: number): Mark => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problem = ({ offset, message, remedy }: Fault): Problem => ({
    code: 'YAML_SYNTAX',
    ...mark(offset),
    message,
    remedy,
  });
  const tokens = [...new Parser(lines.addNewLine).parse(text)];

  const fatal = controlCharacter(text) ?? tooDeep(offsetBelow(tokens, MAX_DEPTH));
  if (fatal) return { root: undefined, problems: [problem(fatal)], trustedBefore: 0 };

  const composer = new Composer({
    prettyErrors: false,
    resolveKnownTags: false,
    stringKeys: true,
    // The parser compares every pair of keys, which takes seconds for some ten thousand; `convert` looks instead.
    uniqueKeys: false,
  });
  const documents = [...composer.compose(tokens)];
  const [first, second] = documents;
  const faults = (first ? [...first.errors, ...first.warnings] : [])
    .slice(0, MAX_FAULTS)
    .map((error) => explainFault(error, tokens));
  if (second) faults.push(secondDocument(second.range[0]));
  if (first?.directives.yaml.version === '1.1') faults.push(oldVersion());

  const { root, problems, unreadable } = first?.contents
    ? convert(first.contents, mark)
    : { root: undefined, problems: [], unreadable: [] };
  const structural = faults.filter((fault) => fault.structural).map((fault) => mark(fault.offset).line);
  return {
    root,
    problems: [...faults.map(problem), ...problems],
    trustedBefore: Math.min(Number.POSITIVE_INFINITY, ...structural, ...unreadable.map((place) => place.line)),
  };
}

function controlCharacter(text: string): Fault | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for.
  const offset = text.search(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/);
  if (offset === -1) return undefined;
  const name = `U+${text.charCodeAt(offset).toString(16).toUpperCase().padStart(4, '0')}`;
  const message = `the control character ${name} may not stand in YAML`;
  return { offset, structural: true, message, remedy: 'Remove the character.' };
}

function tooDeep(offset: number | undefined): Fault | undefined {
  if (offset === undefined) return undefined;
  const message = `the value is nested more than ${MAX_DEPTH} levels deep`;
  return { offset, structural: true, message, remedy: 'Write it flatter; no setting is so deep.' };
}

function secondDocument(offset: number): Fault {
  const remedy = 'Keep one environment per file, without `---` between parts.';
  return { offset, structural: true, message: 'a second document starts here', remedy };
}

function oldVersion(): Fault {
  const message = 'the file asks for YAML 1.1, which takes `no` for false and 010 for 8';
  return { offset: 0, structural: true, message, remedy: 'Remove the %YAML line.' };
}
