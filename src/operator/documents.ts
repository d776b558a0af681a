import { lstatSync, readdirSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import type { DocumentFile } from '../documents/extract.js';
import { FORMATS, formatOf } from '../documents/formats.js';
import { type Problem, throwProblems } from '../errors/problem.js';

/** Folders that hold no documents of the user, beside everything whose name begins with a dot. */
const SKIPPED = new Set(['node_modules']);

/**
 * The documents that the paths of a command line name: files, and folders with all that is below them. Hidden files,
 * symbolic links and other formats inside folders are passed over; a file that is named itself has to be one. What is in
 * the files is looked at later.
 *
 * @throws RagdockError with every path that names no documents
 */
export function collectDocuments(paths: readonly string[], cwd: string): readonly DocumentFile[] {
  const problems: Problem[] = [];
  const files = new Map<string, DocumentFile>();
  for (const path of paths) {
    for (const file of expand(resolve(cwd, path), cwd, problems)) files.set(file, { file, path: shown(file, cwd) });
  }
  const documents = [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
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

const hasFormat = (file: string): boolean => formatOf(file) !== undefined;

const shown = (file: string, cwd: string): string => (relative(cwd, file) || '.').split(sep).join('/');
