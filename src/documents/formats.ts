const MIB = 1024 * 1024;

/** How a document's bytes become sections. */
export type DocumentFormat = 'markdown' | 'text' | 'html' | 'pdf' | 'docx' | 'pairs';

/** Formats by ending. */
const BY_ENDING: Readonly<Record<string, DocumentFormat>> = {
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.txt': 'text',
  '.html': 'html',
  '.htm': 'html',
  '.pdf': 'pdf',
  '.docx': 'docx',
  '.jsonl': 'pairs',
};

/** Endings of the files that can be ingested. */
export const FORMATS: readonly string[] = Object.keys(BY_ENDING);

/** Largest text of one document, in bytes of UTF-8: a book of 2,000 pages. The operator session has memory for four of them. */
export const LARGEST_TEXT = 5 * MIB;

/** Largest file of each format, in bytes. */
export const LARGEST_FILE: Readonly<Record<DocumentFormat, number>> = {
  // All of it is text.
  markdown: LARGEST_TEXT,
  text: LARGEST_TEXT,
  pairs: LARGEST_TEXT,
  // Pages carry as much again in tags, styles and scripts; the tree of a page takes 30 times its bytes (measured).
  html: 10 * MIB,
  // Fonts and pictures are most of it. All of the file is in memory while it is read.
  pdf: 100 * MIB,
  docx: 100 * MIB,
};

/** The format of a file by its ending. @returns undefined for one that cannot be ingested */
export function formatOf(path: string): DocumentFormat | undefined {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? undefined : BY_ENDING[name.slice(dot).toLowerCase()];
}
