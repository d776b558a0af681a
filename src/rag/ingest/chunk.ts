import type { ParsedDocument, Section } from './sections.js';

/**
 * Raised when documents in general would be cut into other chunks than before. Collections remember it: one that was
 * filled by another version is refused, because unchanged documents would no longer be recognised. A change that
 * meets few documents needs no new version: their hash is another, and the next ingestion replaces what they had.
 */
export const CHUNKING_VERSION = 1;

/**
 * Longest chunk in characters. Tokenizers of multilingual embedding models spend a token on 3 to 4 characters of
 * Russian, so that this is about 400 to 512 tokens, the size that retrieval studies agree on for mixed questions.
 */
export const LONGEST_CHUNK = 1600;

/** What a chunk repeats of the one before it in its section, in characters. */
export const OVERLAP = 160;

/** Longest head of a table, in characters, that every piece of it repeats. */
const LONGEST_HEAD = 400;

export interface Chunk {
  /** Headings above the text, outermost first, joined by ` > `. */
  readonly heading: string;
  readonly text: string;
  /** Position in the document, or in the part of it that stands for itself, from 0. */
  readonly position: number;
}

type Piece = Omit<Chunk, 'position'>;

/**
 * Cuts a document along its structure. The largest part that fits stays whole: a document, else a section with all
 * that is below it, else the blocks of a section, else sentences, lines, words.
 */
export function chunkDocument({ root, apart }: ParsedDocument): readonly Chunk[] {
  const parts = apart ? [{ ...root, children: [] }, ...root.children] : [root];
  return parts.flatMap((part) => chunkSection(part, []).map((piece, position) => ({ ...piece, position })));
}

function chunkSection(section: Section, above: readonly string[]): Piece[] {
  const path = section.heading === '' ? above : [...above, section.heading];
  const heading = path.join(' > ');
  const whole = textOf(section, false);
  if (whole === '') return section.children.flatMap((child) => chunkSection(child, path));
  if (whole.length <= LONGEST_CHUNK) return [{ heading, text: whole }];
  return [
    ...packBlocks(section.blocks).map((text) => ({ heading, text })),
    ...section.children.flatMap((child) => chunkSection(child, path)),
  ];
}

/** A section with all below it; the headings inside stay, its own is in the path. */
function textOf(section: Section, withHeading: boolean): string {
  return [
    ...(withHeading && section.headingLine !== '' ? [section.headingLine] : []),
    ...section.blocks,
    ...section.children.map((child) => textOf(child, true)),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Joins blocks into chunks; each but the first begins with the end of the one before. */
function packBlocks(blocks: readonly string[]): string[] {
  const longest = LONGEST_CHUNK - OVERLAP - 2;
  const chunks: string[] = [];
  let current = '';
  // Half a row says nothing, and the head of a table is repeated as it is.
  let endsWithLines = false;
  for (const block of blocks) {
    const inLines = isInLines(block);
    for (const piece of inLines ? splitLines(block, longest) : splitBlock(block, longest, seamsOf(block))) {
      const joined = current === '' ? piece : `${current}\n\n${piece}`;
      if (joined.length <= LONGEST_CHUNK) {
        current = joined;
      } else {
        chunks.push(current);
        current = endsWithLines ? piece : `${tailOf(current)}\n\n${piece}`.trimStart();
      }
      endsWithLines = inLines;
    }
  }
  return current === '' ? chunks : [...chunks, current];
}

const FENCE = /^ {0,3}(`{3,}|~{3,})[^\n]*\n/;
const UNDER_HEAD = /^[-:| \t]+$/;

/** The two lines above the rows of a table; empty for what is none. */
function tableHead(block: string): string {
  const first = block.indexOf('\n') + 1;
  const second = block.indexOf('\n', first) + 1;
  if (first === 0 || second === 0 || !block.slice(0, first).includes('|')) return '';
  const under = block.slice(first, second - 1);
  return under.includes('-') && UNDER_HEAD.test(under) ? block.slice(0, second) : '';
}

/** Whether a line of the block is a unit: a row of a table, a line of code. */
const isInLines = (block: string): boolean => FENCE.test(block) || tableHead(block) !== '';

const LIST_ITEM = /^(?:[-*+]|\d{1,9}[.)])[ \t]/;

const seamsOf = (block: string): readonly RegExp[] => (LIST_ITEM.test(block) ? OF_LINES : OF_PROSE);

/** Pieces of whole lines. Those of a table begin with its head, those of code are fenced each. */
function splitLines(block: string, longest: number): string[] {
  if (block.length <= longest) return [block];
  const fence = FENCE.exec(block);
  const head = fence?.[0] ?? tableHead(block);
  const end = fence ? `\n${fence[1]}` : '';
  const room = longest - head.length - end.length;
  if (head.length > LONGEST_HEAD) return splitBlock(block, longest, OF_LINES);
  const body = block.slice(head.length);
  const lines = fence && body.trimEnd().endsWith(fence[1] ?? '') ? body.trimEnd().slice(0, -end.length) : body;
  return splitBlock(lines, room, OF_LINES).map((piece) => `${head}${piece}${end}`);
}

/**
 * Where a sentence ends. The closing marks behind it are bounded, because the time that a row of them takes would grow
 * with its square.
 */
const SENTENCES = /(?<=[.!?…]["»”)]{0,4})\s+/u;
const LINES = /\n/;
const WORDS = /\s+/;

/** Seams of prose, from the coarsest to the finest; the first that makes pieces which fit is taken. */
const OF_PROSE: readonly RegExp[] = [SENTENCES, LINES, WORDS];

/** Seams of tables, code and lists. */
const OF_LINES: readonly RegExp[] = [LINES, SENTENCES, WORDS];

function splitBlock(block: string, longest: number, [seam, ...finer]: readonly RegExp[]): string[] {
  if (block.length <= longest) return [block];
  if (!seam) return splitCharacters(block, longest);
  const glue = seam === LINES ? '\n' : ' ';
  const pieces: string[] = [];
  let current = '';
  for (const part of block.split(seam)) {
    const joined = current === '' ? part : `${current}${glue}${part}`;
    if (joined.length <= longest) {
      current = joined;
      continue;
    }
    if (current !== '') pieces.push(current);
    const smaller = splitBlock(part, longest, finer);
    pieces.push(...smaller.slice(0, -1));
    current = smaller.at(-1) ?? '';
  }
  return current === '' ? pieces : [...pieces, current];
}

function splitCharacters(text: string, longest: number): string[] {
  const pieces: string[] = [];
  let current = '';
  for (const character of text) {
    if (current.length + character.length > longest) {
      pieces.push(current);
      current = '';
    }
    current += character;
  }
  return [...pieces, current];
}

/** The last sentences of a chunk that fit into the overlap, or its last words. */
function tailOf(text: string): string {
  const tail = text.slice(-OVERLAP);
  const sentence = tail.search(/(?<=[.!?…]["»”)]{0,4}\s)\S/u);
  const word = tail.search(/(?<=\s)\S/);
  const start = sentence >= 0 ? sentence : word;
  return start >= 0 ? tail.slice(start) : '';
}
