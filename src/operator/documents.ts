import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, resolve, sep } from 'node:path';
import { type Problem, RagdockError, throwProblems } from '../errors/problem.js';
import { FORMATS, type SourceDocument } from '../rag/ingest/ingest.js';

/** Largest document in bytes; a text of this size is a book of 2,000 pages. */
const LARGEST_DOCUMENT = 5 * 1024 * 1024;

/** Folders that hold no documents of the user, beside everything whose name begins with a dot. */
const SKIPPED = new Set(['node_modules']);

/** A file that will be sent. */
export interface DocumentFile {
  /** Where it is on this machine. */
  readonly file: string;
  /** What it is called from now on: its path relative to the current folder, with `/`. */
  readonly path: string;
}

/**
 * The documents that the paths of a command line name: files, and folders with all that is below them. Hidden files,
 * symbolic links and other formats inside folders are passed over; a file that is named itself has to fit.
 *
 * @throws RagdockError with every problem of every file
 */
export function collectDocuments(paths: readonly string[], cwd: string): readonly DocumentFile[] {
  const problems: Problem[] = [];
  const files = new Map<string, DocumentFile>();
  for (const path of paths) {
    for (const file of expand(resolve(cwd, path), cwd, problems)) files.set(file, { file, path: shown(file, cwd) });
  }
  const documents = [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const document of documents) problems.push(...faultsOf(document));
  if (documents.length === 0 && problems.length === 0) {
    problems.push({
      code: 'USAGE',
      message: `there is no document in ${paths.join(', ')}`,
      remedy: `Name files or folders with ${FORMATS.join(', ')}.`,
    });
  }
  throwProblems(problems);
  return documents;
}

/** The text of a document. Throws RagdockError when it cannot be read any more, or is not UTF-8. */
export function readDocument({ file, path }: DocumentFile): SourceDocument {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new RagdockError({ code: 'FILE_UNREADABLE', file: path, message: (cause as Error).message }, { cause });
  }
  try {
    return { path, content: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (cause) {
    throw new RagdockError({ code: 'FILE_NOT_UTF8', file: path, message: 'the document is not UTF-8 text' }, { cause });
  }
}

function expand(file: string, cwd: string, problems: Problem[]): readonly string[] {
  const refuse = (message: string, remedy?: string): readonly string[] => {
    problems.push({ code: 'FILE_UNREADABLE', file: shown(file, cwd), message, remedy });
    return [];
  };
  try {
    const stats = lstatSync(file);
    if (stats.isDirectory()) return walk(file, cwd, problems);
    if (stats.isSymbolicLink()) return refuse('is a symbolic link, which is not followed', 'Name the file itself.');
    if (!stats.isFile()) return refuse('is neither a file nor a folder');
    if (!hasFormat(file)) return refuse('has no format that can be ingested', `Known are ${FORMATS.join(', ')}.`);
    return [file];
  } catch (cause) {
    return refuse((cause as Error).message);
  }
}

function walk(folder: string, cwd: string, problems: Problem[]): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.') && !SKIPPED.has(name))
      .flatMap((entry) => {
        const file = join(folder, entry.name);
        if (entry.isDirectory()) return walk(file, cwd, problems);
        return entry.isFile() && hasFormat(file) ? [file] : [];
      });
  } catch (cause) {
    problems.push({ code: 'FILE_UNREADABLE', file: shown(folder, cwd), message: (cause as Error).message });
    return [];
  }
}

function faultsOf(document: DocumentFile): readonly Problem[] {
  try {
    const { size } = lstatSync(document.file);
    if (size > LARGEST_DOCUMENT) {
      return [
        {
          code: 'FILE_TOO_LARGE',
          file: document.path,
          message: `has ${size} bytes; a document may have ${LARGEST_DOCUMENT}`,
          remedy: 'Divide it into several documents.',
        },
      ];
    }
    readDocument(document);
    return [];
  } catch (error) {
    if (error instanceof RagdockError) return error.problems;
    return [{ code: 'FILE_UNREADABLE', file: document.path, message: (error as Error).message }];
  }
}

const hasFormat = (file: string): boolean => FORMATS.includes(extname(file).toLowerCase());

const shown = (file: string, cwd: string): string => (relative(cwd, file) || '.').split(sep).join('/');
