import { readFileSync, statSync } from 'node:fs';
import { basename, extname } from 'node:path';
import type { Problem } from '../errors/problem.js';
import type { SourceDocument } from '../rag/ingest/ingest.js';
import type { ParsedDocument, Section } from '../rag/ingest/sections.js';
import { decodePage, decodeText } from './decode.js';
import { DocumentFault, tooLarge } from './fault.js';
import { type DocumentFormat, formatOf, LARGEST_FILE, LARGEST_TEXT } from './formats.js';

/** A file that will be ingested. */
export interface DocumentFile {
  /** Where it is on this machine. */
  readonly file: string;
  /** What it is called from now on: its path relative to the current folder, with `/`. */
  readonly path: string;
}

/** What became of the text of one file. */
export interface Extraction {
  readonly path: string;
  readonly format: DocumentFormat;
  /** Holds no text where the file is empty, so that what it held before goes. @default - the file cannot be read, and `problems` say why */
  readonly document?: SourceDocument;
  /** What is wrong with the file, or with lines of it. */
  readonly problems: readonly Problem[];
  /** What is left out although nothing is wrong. */
  readonly notes: readonly string[];
}

/** Formats of which an empty file says nothing. A page, a PDF or a document of Word may say it all in pictures. */
const ALL_IS_TEXT: readonly DocumentFormat[] = ['markdown', 'text', 'pairs'];

/** The outcome of a file of which nothing can be ingested. */
export function failedExtraction(path: string, problem: Omit<Problem, 'file'>): Extraction {
  return { path, format: formatOf(path) ?? 'text', problems: [{ ...problem, file: path }], notes: [] };
}

/** Reads the text of a file. Libraries are loaded by the first file that needs them. Never throws for what is in a file. */
export async function extractDocument({ file, path }: DocumentFile): Promise<Extraction> {
  const format = formatOf(path) ?? 'text';
  const failed = (problem: Omit<Problem, 'file'>) => failedExtraction(path, problem);
  let bytes: Buffer;
  try {
    const { size } = statSync(file);
    if (size > LARGEST_FILE[format]) return failed(tooLarge('the file', size, LARGEST_FILE[format]).problem);
    bytes = readFileSync(file);
  } catch (error) {
    return failed({ code: 'INGEST_FAILED', message: (error as Error).message, remedy: 'Check that you may read it.' });
  }
  try {
    const { badLines = [], notes = [], ...document } = await read(bytes, path, format);
    const problems = badLines.map((bad): Problem => ({ code: 'DOCUMENT_LINE', file: path, ...bad }));
    const isEmpty = 'parsed' in document ? !hasText(document.parsed.root) : document.content.trim() === '';
    if (!isEmpty) return { path, format, document: { path, ...document }, problems, notes };
    // Lines that are no pairs are nothing that was read: what the file gave before may be right still.
    if (problems.length > 0) return { path, format, problems, notes };
    const fault = new DocumentFault('DOCUMENT_NO_TEXT', 'holds no text', 'Leave it out, or write something into it.');
    if (!ALL_IS_TEXT.includes(format)) throw fault;
    return { path, format, document: { path, ...document }, problems: [{ ...fault.problem, file: path }], notes };
  } catch (error) {
    if (!(error instanceof DocumentFault)) {
      // A library that gives up on a file says so in its own words.
      return failed({ code: 'DOCUMENT_DAMAGED', message: `cannot be read: ${(error as Error).message}` });
    }
    return failed(error.problem);
  }
}

interface Read {
  readonly badLines?: readonly { readonly line: number; readonly message: string }[];
  readonly notes?: readonly string[];
}

async function read(
  bytes: Buffer,
  path: string,
  format: DocumentFormat,
): Promise<Read & ({ readonly content: string } | { readonly parsed: ParsedDocument })> {
  const name = basename(path);
  switch (format) {
    case 'markdown':
    case 'text':
      return { content: decodeText(bytes) };
    case 'pairs': {
      const { parsePairs } = await import('./pairs.js');
      return parsePairs(decodeText(bytes), basename(path, extname(path)));
    }
    case 'html': {
      const { parseHtml } = await import('./html.js');
      return { parsed: fitting(parseHtml(decodePage(bytes), name)) };
    }
    case 'docx': {
      const { parseDocx } = await import('./docx.js');
      return { parsed: fitting(await parseDocx(bytes, name)) };
    }
    case 'pdf': {
      const { parsePdf } = await import('./pdf.js');
      return parsePdf(bytes, name);
    }
  }
}

function fitting(parsed: ParsedDocument): ParsedDocument {
  const size = sizeOf(parsed.root);
  if (size > LARGEST_TEXT) throw tooLarge('its text', size, LARGEST_TEXT);
  return parsed;
}

function sizeOf({ headingLine, blocks, children }: Section): number {
  const own = [headingLine, ...blocks].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return children.reduce((sum, child) => sum + sizeOf(child), own);
}

function hasText({ blocks, children }: Section): boolean {
  return blocks.length > 0 || children.some((child) => child.headingLine !== '' || hasText(child));
}
