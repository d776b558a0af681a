/** A piece of text as the PDF library gives it. */
export interface TextItem {
  readonly str: string;
  readonly hasEOL: boolean;
  /** The last two are the place on the page, in points from its lower left corner. */
  readonly transform: readonly number[];
  /** Size of the letters, in points. */
  readonly height: number;
}

export interface Line {
  readonly text: string;
  /** Height of its base above the lower edge, in points. */
  readonly y: number;
  /** Size of its largest letter, in points. */
  readonly height: number;
}

/** Lines at the top and at the bottom of a page that may be the same on every page. */
const EDGE = 2;

/** Pages that a line has to be on to be taken for a running one. */
const FEWEST_PAGES = 3;

/** Distance of two lines, in sizes of their letters, from which on they are of two paragraphs. */
const PARAGRAPH_GAP = 1.6;

/** Ratio of sizes from which on a line is a heading, or what follows one. */
const OTHER_SIZE = 1.2;

/** A line this much shorter than the longest of its paragraph ends on purpose: an item of a list, a row of a table. */
const FULL_LINE = 0.6;

export function linesOf(items: readonly TextItem[]): readonly Line[] {
  const lines: Line[] = [];
  let text = '';
  let y: number | undefined;
  let height = 0;
  const end = () => {
    const line = text.replace(/\s+/g, ' ').trim();
    if (line !== '') lines.push({ text: line, y: y ?? 0, height });
    text = '';
    y = undefined;
    height = 0;
  };
  for (const item of items) {
    text += item.str;
    if (item.str.trim() !== '') {
      y ??= item.transform[5];
      height = Math.max(height, item.height);
    }
    if (item.hasEOL) end();
  }
  end();
  return lines;
}

/** Pages without the lines that most of them begin or end with, whatever number is in those. */
export function withoutRunningLines(pages: readonly (readonly Line[])[]): readonly (readonly Line[])[] {
  const counts = new Map<string, number>();
  for (const page of pages) {
    const keys = new Set(page.flatMap(({ text }, index) => (isEdge(index, page.length) ? [keyOf(text)] : [])));
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const fewest = Math.max(FEWEST_PAGES, pages.length / 2);
  return pages.map((page) =>
    page.filter(({ text }, index) => !isEdge(index, page.length) || (counts.get(keyOf(text)) ?? 0) < fewest),
  );
}

const isEdge = (index: number, length: number): boolean => index < EDGE || index >= length - EDGE;
const keyOf = (text: string): string => text.replace(/\d+/g, '#');

/** Paragraphs of a page: lines that are close together and of one size. */
export function blocksOf(lines: readonly Line[]): readonly string[] {
  const paragraphs: Line[][] = [];
  for (const line of lines) {
    const paragraph = paragraphs.at(-1);
    const before = paragraph?.at(-1);
    if (paragraph && before && belongTogether(before, line)) paragraph.push(line);
    else paragraphs.push([line]);
  }
  return paragraphs.map((paragraph) => join(paragraph.map(({ text }) => text)));
}

function belongTogether(above: Line, below: Line): boolean {
  const large = Math.max(above.height, below.height);
  const small = Math.min(above.height, below.height);
  const gap = above.y - below.y;
  // Text that goes on higher up is of the next column.
  return gap > -small / 2 && gap <= large * PARAGRAPH_GAP && large <= small * OTHER_SIZE;
}

/** A word that was cut at the end of its line becomes whole. */
function join(lines: readonly string[]): string {
  const longest = lines.reduce((most, { length }) => Math.max(most, length), 0);
  return lines.reduce((text, line, index) => {
    const before = lines[index - 1] ?? '';
    if (/\p{Ll}[-\u00ad\u2010]$/u.test(text) && /^\p{Ll}/u.test(line)) return text.slice(0, -1) + line;
    return `${text}${before.length < longest * FULL_LINE ? '\n' : ' '}${line}`;
  });
}
