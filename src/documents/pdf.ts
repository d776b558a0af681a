import type { ParsedDocument, Section } from '../rag/ingest/sections.js';
import { isRussian } from '../rag/normalise.js';
import { DocumentFault, tooLarge } from './fault.js';
import { LARGEST_TEXT } from './formats.js';
import { blocksOf, type Line, linesOf, withoutRunningLines } from './pdf-lines.js';

/** More pages than any book has. */
const MOST_PAGES = 10_000;

/** Titles that programs write by themselves. */
const NO_TITLE =
  /^(untitled|без имени|без названия|document\d*|документ\d*|microsoft (word|powerpoint)\b.*|.*\.(docx?|pptx?|tex|indd|pdf))$/i;

/** What was read of a document, and what a reader should know of the rest. */
export interface ParsedPdf {
  readonly parsed: ParsedDocument;
  readonly notes: readonly string[];
}

/**
 * Pages of a PDF, each a part that stands for itself under `стр. 3` in a Russian document, `p. 3` in another. Lines that
 * most pages begin or end with are left out. The title is the document's own, or `fallback`.
 *
 * @throws DocumentFault DOCUMENT_DAMAGED, DOCUMENT_ENCRYPTED, DOCUMENT_NO_TEXT, DOCUMENT_TOO_LARGE
 */
export async function parsePdf(bytes: Uint8Array, fallback: string): Promise<ParsedPdf> {
  const { getDocumentProxy } = await import('unpdf');
  const document = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0 }).catch((cause: unknown) => {
    throw notOpened(cause);
  });
  try {
    if (document.numPages > MOST_PAGES) {
      throw new DocumentFault('DOCUMENT_TOO_LARGE', `has ${document.numPages} pages; it may have ${MOST_PAGES}`);
    }
    const pages: (readonly Line[])[] = [];
    let size = 0;
    for (let number = 1; number <= document.numPages; number += 1) {
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      const lines = linesOf(items.flatMap((item) => ('str' in item ? [item] : [])));
      page.cleanup();
      pages.push(lines);
      size += lines.reduce((sum, { text }) => sum + Buffer.byteLength(text) + 1, 0);
      if (size > LARGEST_TEXT) throw tooLarge('its text', `more than ${LARGEST_TEXT}`, LARGEST_TEXT);
    }
    const { info } = (await document.getMetadata().catch(() => undefined)) ?? {};
    return assemble(pages, titleOf(info) ?? fallback);
  } catch (error) {
    throw error instanceof DocumentFault ? error : damaged(error);
  } finally {
    await document.loadingTask.destroy();
  }
}

function assemble(pages: readonly (readonly Line[])[], title: string): ParsedPdf {
  const blocks = withoutRunningLines(pages).map(blocksOf);
  const empty = blocks.flatMap((page, index) => (page.length === 0 ? [index + 1] : []));
  if (empty.length === pages.length) {
    throw new DocumentFault('DOCUMENT_NO_TEXT', 'has no text layer: its pages are pictures, or empty');
  }
  const mark = isRussian(blocks.flat().join(' ')) ? 'стр.' : 'p.';
  const children: Section[] = blocks.flatMap((page, index) =>
    page.length === 0 ? [] : [{ heading: `${mark} ${index + 1}`, headingLine: '', blocks: page, children: [] }],
  );
  const notes = empty.length === 0 ? [] : [`no text on ${rangesOf(empty)} of ${pages.length} pages`];
  return { parsed: { title, root: { heading: '', headingLine: '', blocks: [], children }, apart: true }, notes };
}

/** `1, 3-5` */
function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}

function titleOf(info: object | undefined): string | undefined {
  const title = info && 'Title' in info && typeof info.Title === 'string' ? info.Title.trim() : '';
  return title === '' || NO_TITLE.test(title) ? undefined : title;
}

function notOpened(cause: unknown): DocumentFault {
  if (cause instanceof Error && cause.name === 'PasswordException') {
    return new DocumentFault('DOCUMENT_ENCRYPTED', 'opens with a password only', undefined, { cause });
  }
  return damaged(cause);
}

function damaged(cause: unknown): DocumentFault {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new DocumentFault('DOCUMENT_DAMAGED', `is no whole PDF: ${message}`, undefined, { cause });
}
