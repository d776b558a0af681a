import type { ParsedDocument, Section } from './sections.js';

/**
 * Raised when any document would be cut into other chunks than before. Collections remember it: one that was filled
 * by another version is refused, because unchanged documents would no longer be recognised.
 */
export const CHUNKING_VERSION = 1;

/**
 * Longest chunk in characters. Tokenizers of multilingual embedding models spend a token on 3 to 4 characters of
 * Russian, so that this is about 400 to 512 tokens, the size that retrieval studies agree on for mixed questions.
 */
export const LONGEST_CHUNK = 1600;

/** What a chunk repeats of the one before it in its section, in characters. */
export const OVERLAP = 160;

export interface Chunk {
  /** Headings above the text, outermost first, joined by ` > `. */
  readonly heading: string;
  readonly text: string;
}

/**
 * Cuts a document along its structure. The largest part that fits stays whole: a document, else a section with all
 * that is below it, else the blocks of a section, else sentences, lines, words.
 */
export function chunkDocument(document: ParsedDocument): readonly Chunk[] {
  return chunkSection(document.root, []);
}

function chunkSection(section: Section, above: readonly string[]): Chunk[] {
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
  const pieces = blocks.flatMap((block) => splitBlock(block, LONGEST_CHUNK - OVERLAP - 2));
  const chunks: string[] = [];
  let current = '';
  for (const piece of pieces) {
    const joined = current === '' ? piece : `${current}\n\n${piece}`;
    if (joined.length <= LONGEST_CHUNK) {
      current = joined;
      continue;
    }
    chunks.push(current);
    current = `${tailOf(current)}\n\n${piece}`.trimStart();
  }
  return current === '' ? chunks : [...chunks, current];
}

/**
 * Ends of sentences, then of lines, then of words: the coarsest that makes pieces which fit. The closing marks behind a
 * sentence are bounded, because the time that a row of them takes would grow with its square.
 */
const SEAMS: readonly RegExp[] = [/(?<=[.!?…]["»”)]{0,4})\s+/u, /\n/, /\s+/];

function splitBlock(block: string, longest: number, seam = 0): string[] {
  if (block.length <= longest) return [block];
  const pattern = SEAMS[seam];
  if (!pattern) return splitCharacters(block, longest);
  const glue = pattern.source === '\\n' ? '\n' : ' ';
  const pieces: string[] = [];
  let current = '';
  for (const part of block.split(pattern)) {
    const joined = current === '' ? part : `${current}${glue}${part}`;
    if (joined.length <= longest) {
      current = joined;
      continue;
    }
    if (current !== '') pieces.push(current);
    const smaller = splitBlock(part, longest, seam + 1);
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
