/** A space before it, and numbers in brackets: `[2]`, `[1, 3]`, `[1-3]`. */
const CITATION = /[ \u00A0]?\[ ?(\d[\d ,;\u2013-]*)\]/;

/** The next citation, or the next run of backticks, which code stands between. */
const NEXT = new RegExp(`(?<code>\`+)|${CITATION.source}`);

/** What may be the beginning of a citation, or a part of a run of backticks, at the end of what has come so far. */
const UNFINISHED = /(?:[ \u00A0]?(?:\[ ?(?:\d[\d ,;\u2013-]{0,40})?)?|`+)$/;

/** Runs of backticks from this length on begin a block of code, which goes over many lines. */
const FENCE = 3;

/**
 * Lets only citations of passages that there are through, and knows which were used. A model that was given three
 * passages and cites the seventh has made a source up; the reader must not look for it. Code is left as it is.
 */
export class CitationFilter {
  readonly #passages: number;
  readonly #used = new Set<number>();
  #held = '';
  /** The run of backticks that code began with. */
  #code: string | undefined;

  /** @param passages how many passages the model was given; their numbers begin with 1 */
  constructor(passages: number) {
    this.#passages = passages;
  }

  /** Numbers that were cited, in ascending order. */
  get used(): readonly number[] {
    return [...this.#used].sort((a, b) => a - b);
  }

  /** A piece of the answer goes in, what is sure of it comes out: a citation is held back until its bracket closes. */
  push(piece: string): string {
    const text = this.#held + piece;
    const unfinished = UNFINISHED.exec(text)?.index ?? text.length;
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
      const before = rest.slice(0, match.index);
      this.#leaveInlineCode(before);
      out += before + (match.groups?.code ? this.#enterOrLeave(match[0]) : this.#cited(match[0], match[2] ?? ''));
      rest = rest.slice(match.index + match[0].length);
    }
    this.#leaveInlineCode(rest);
    return out + rest;
  }

  #cited(whole: string, numbers: string): string {
    if (this.#code !== undefined) return whole;
    const asked = numbersOf(numbers, this.#passages);
    const known = asked.filter((number) => number >= 1 && number <= this.#passages);
    for (const number of known) this.#used.add(number);
    if (known.length === 0) return '';
    const space = /^[ \u00A0]/.exec(whole)?.[0] ?? '';
    return known.length === asked.length ? whole : `${space}[${known.join(', ')}]`;
  }

  #enterOrLeave(backticks: string): string {
    if (this.#code === undefined) this.#code = backticks;
    else if (this.#code === backticks) this.#code = undefined;
    return backticks;
  }

  /** A backtick that nothing closes on its line began no code. */
  #leaveInlineCode(text: string): void {
    if (this.#code !== undefined && this.#code.length < FENCE && text.includes('\n')) this.#code = undefined;
  }
}

/** A text without citations, for a prompt whose passages have other numbers. */
export function withoutCitations(text: string): string {
  const filter = new CitationFilter(0);
  return filter.push(text) + filter.end();
}

/** `1-3; 5` are 1, 2, 3 and 5. A range ends one above the passages there are, so that no answer can make it long. */
function numbersOf(text: string, passages: number): readonly number[] {
  const numbers: number[] = [];
  for (const part of text.split(/[,; ]+/)) {
    const [first = Number.NaN, last = first] = part
      .split(/[\u2013-]/)
      .filter(Boolean)
      .map(Number);
    for (let number = first; number <= Math.min(last, Math.max(first, passages + 1)); number += 1) numbers.push(number);
  }
  return numbers;
}
