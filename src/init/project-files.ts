import { existsSync, mkdirSync, rmSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createAtomically } from '../../config/write-file.js';
import { type Problem, RagdockError } from '../errors/problem.js';

/** A file that is to be made; its path is relative to the project's folder. */
export interface NewFile {
  readonly file: string;
  readonly content: string;
}

/** The cdktf app inside an installed package. */
const INSTALLED_APP = 'node_modules/ragdock/dist/src/main.js';

/** Files that would have to be replaced. */
export function refuseExisting(cwd: string, files: readonly string[]): readonly Problem[] {
  return files.filter((file) => existsSync(join(cwd, file))).map(exists);
}

function exists(file: string): Problem {
  const remedy = file.endsWith('.lock.yaml')
    ? 'Use another name, or remove the file if no data of this environment is left: it says where they are.'
    : 'Use another name, or remove the file first.';
  return { code: 'FILE_EXISTS', file, message: 'the file is there already, and is not replaced', remedy };
}

/** What tells `cdktf` how to run ragdock, for a folder that has ragdock installed and is no cdktf project yet. */
export function cdktfProject(cwd: string): readonly NewFile[] {
  if (existsSync(join(cwd, 'cdktf.json')) || !existsSync(join(cwd, INSTALLED_APP))) return [];
  const project = {
    language: 'typescript',
    app: `node ${INSTALLED_APP}`,
    projectId: 'ragdock',
    sendCrashReports: 'false',
  };
  return [{ file: 'cdktf.json', content: `${JSON.stringify(project, null, 2)}\n` }];
}

/** Write all files or none: what was made is removed again when one of them cannot be. */
export function writeFiles(cwd: string, files: readonly NewFile[]): void {
  const undo: (() => void)[] = [];
  for (const { file, content } of files) {
    const path = join(cwd, file);
    try {
      const made = mkdirSync(dirname(path), { recursive: true });
      if (made !== undefined) undo.push(() => rmSync(made, { recursive: true }));
      createAtomically(path, content);
      undo.push(() => unlinkSync(path));
    } catch (error) {
      for (const step of undo.reverse()) step();
      throw new RagdockError(problemOf(cwd, file, error), { cause: error });
    }
  }
}

function problemOf(cwd: string, file: string, error: unknown): Problem {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return code === 'EEXIST' && existsSync(join(cwd, file)) ? exists(file) : { code: 'FILE_UNWRITABLE', file, message };
}
