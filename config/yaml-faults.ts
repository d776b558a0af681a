import type { CST, ErrorCode, YAMLError } from 'yaml';
import { quoteBefore } from './yaml-tokens.js';

/** A fault of the YAML text. After a structural one, it is open what the following lines belong to. */
export interface Fault {
  readonly offset: number;
  readonly structural: boolean;
  readonly message: string;
  readonly remedy?: string;
}

interface Explanation {
  readonly message?: string;
  readonly remedy?: string;
  /** The value alone is in doubt, not the structure around it. */
  readonly local?: true;
}

/** What the parser's terms mean to somebody who edits a file of settings. */
const EXPLANATIONS: Partial<Record<ErrorCode, Explanation>> = {
  TAB_AS_INDENT: { message: 'the line is indented with a tab', remedy: 'Indent with spaces; two a level.' },
  MULTILINE_IMPLICIT_KEY: {
    message: 'a key has no `: ` after it on its line',
    remedy: 'Write `key: value` with a space behind the colon.',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a second `: ` stands in the value',
    remedy: 'Put the value into quotes, or move the inner key to a line of its own.',
  },
  BAD_SCALAR_START: { remedy: 'Put the value into quotes.', local: true },
  BAD_DQ_ESCAPE: { remedy: 'Use single quotes, in which a backslash is a backslash.', local: true },
  NON_STRING_KEY: { message: 'a key is no plain text', remedy: 'Write the key as a word.', local: true },
  TAG_RESOLVE_FAILED: { message: 'tags are not read', remedy: 'Remove the word that starts with `!`.', local: true },
};

/** A parser's error or warning as a fault with a place that people would point at. */
export function explainFault(error: YAMLError, tokens: readonly CST.Token[]): Fault {
  const { message, remedy, local } = EXPLANATIONS[error.code] ?? {};
  const unclosed = error.code === 'MISSING_CHAR' && error.message.includes('quote');
  return {
    // The parser notices an unclosed quote at the end of the file; the fault is where it was opened.
    offset: (unclosed ? quoteBefore(tokens, error.pos[0]) : undefined) ?? error.pos[0],
    structural: !local,
    message: message ?? (unclosed ? 'the quote that opens here is never closed' : error.message),
    ...(remedy === undefined ? {} : { remedy }),
  };
}
