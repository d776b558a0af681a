import { meaningOf } from './citation-rules.js';

/** Most characters between the brackets of a citation: what is longer is text. */
const LONGEST = 200;

/** A space before it, and numbers in brackets: `[2]`, `[1, 3]`, `[1-3]`. */
const CITATION = new RegExp(`[ \\u00A0]?\\[ ?(?<numbers>\\d[\\d ,;\\u2013-]{0,${LONGEST}})\\]`);

/** The next citation, or the next run of backticks or tildes, which code stands between. */
const NEXT = new RegExp(`(?<code>\`+|~{3,})|${CITATION.source}`);

/**
 * What may be the beginning of a citation at the end of what has come so far. Also a whole citation: what follows its
 * bracket says whether it is one.
 */
const UNFINISHED = new RegExp(`[ \\u00A0]?(?:\\[ ?(?:\\d[\\d ,;\\u2013-]{0,${LONGEST}}\\]?)?)?$`);

/** The same with its spaces, brackets and first digit, in UTF-16 units. */
const LONGEST_UNFINISHED = LONGEST + 5;

/** Runs of this length on begin a block of code, which goes over many lines. */
const FENCE = 3;

/** How much of the text before a bracket is kept to judge it by, in UTF-16 units: longer than any name of a variable. */
const KEPT_BEFORE = 64;

/**
 * Lets only citations of passages that there are through, and knows which were used. A model that was given three
 * passages and cites the seventh has made a source up; the reader must not look for it. Code is left as it is, and so are
 * numbers in brackets that cite nothing: intervals, indices, links. The result is the same however the text is cut.
 */
export class CitationFilter {
  readonly #passages: number;
  readonly #keeps: boolean;
  readonly #used = new Set<number>();
  #held = '';
  /** The run of backticks or tildes that code began with. */
  #code: string | undefined;
  /** The end of what was looked at; the answer begins on a line of its own. */
  #before = '\n';
  /** What the numbers in brackets were that `#before` ends with. @default - it ends with something else */
  #last: 'citation' | 'text' | undefined;

  /**
   * @param passages how many passages the model was given; their numbers begin with 1
   * @param keeps whether citations of passages that there are stay
   */
  constructor(passages: number, keeps = true) {
    this.#passages = passages;
    this.#keeps = keeps;
  }

  /** Numbers that were cited, in ascending order. */
  get used(): readonly number[] {
    return [...this.#used].sort((a, b) => a - b);
  }

  /** A piece of the answer goes in, what is sure of it comes out: a citation is held back until one knows what follows. */
  push(piece: string): string {
    const text = this.#held + piece;
    const unfinished = unfinishedFrom(text);
    this.#held = text.slice(unfinished);
    return this.#filter(text.slice(0, unfinished));
  }

  /** What was held back, at the end of the answer. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return this.#filter(rest);
  }

  #filter(text: string): string {
    let out = '';
    let rest = text;
    for (let match = NEXT.exec(rest); match; match = NEXT.exec(rest)) {
      const [whole] = match;
      const { code, numbers = '' } = match.groups ?? {};
      const before = rest.slice(0, match.index);
      rest = rest.slice(match.index + whole.length);
      this.#pass(before);
      // What is held back begins with none of the characters that make something else of a citation.
      out += before + (code ? this.#enterOrLeave(code) : this.#cited(whole, numbers, rest[0] ?? ''));
      this.#before = (this.#before + whole).slice(-KEPT_BEFORE);
    }
    this.#pass(rest);
    return out + rest;
  }

  /** Text without citations and without code that begins or ends. */
  #pass(text: string): void {
    if (text === '') return;
    this.#last = undefined;
    this.#before = (this.#before + text).slice(-KEPT_BEFORE);
    // A backtick that nothing closes on its line began no code.
    if (this.#code !== undefined && this.#code.length < FENCE && text.includes('\n')) this.#code = undefined;
  }

  #cited(whole: string, list: string, after: string): string {
    if (this.#code !== undefined) return whole;
    const space = /^[ \u00A0]/.exec(whole)?.[0] ?? '';
    const place = { before: this.#before + space, after, last: space === '' ? this.#last : undefined };
    const meaning = meaningOf(list, this.#passages, place);
    this.#last = meaning === 'text' ? 'text' : 'citation';
    if (meaning === 'text') return whole;
    for (const number of meaning.known) this.#used.add(number);
    if (meaning.known.length === 0 || !this.#keeps) return '';
    return meaning.isWhole ? whole : `${space}[${meaning.known.join(', ')}]`;
  }

  #enterOrLeave(run: string): string {
    this.#last = undefined;
    const open = this.#code;
    // Tildes in a line are drawn, or strike something through.
    const counts = run.startsWith('`') || /\n[ \t]*$/.test(this.#before);
    if (open === undefined) this.#code = counts ? run : undefined;
    else if (open === run || (open.length >= FENCE && counts && run.startsWith(open))) this.#code = undefined;
    return run;
  }
}

/**
 * Where what is not finished begins: a citation, or a run of backticks or tildes, which may be longer than anything. Looks
 * at the end alone: an expression tried at each place of a long run would take the square of its length.
 */
function unfinishedFrom(text: string): number {
  const last = text.at(-1);
  let start = text.length;
  if (last === '`' || last === '~') {
    while (text[start - 1] === last) start -= 1;
    return start;
  }
  const end = text.slice(-LONGEST_UNFINISHED);
  return text.length - end.length + (UNFINISHED.exec(end)?.index ?? end.length);
}

/** Passages of which nobody says how many they were: more than a prompt has by its settings' defaults. */
const UNKNOWN_PASSAGES = 10;

/**
 * A text without citations, for a prompt whose passages have other numbers.
 *
 * @param passages how many passages it was written from. @default - it is not known
 */
export function withoutCitations(text: string, passages = UNKNOWN_PASSAGES): string {
  const filter = new CitationFilter(passages, false);
  return filter.push(text) + filter.end();
}
