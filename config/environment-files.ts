import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { RagdockError } from '../src/errors/problem.js';
import { readSource } from './source.js';

/** Where the environments of a project are, relative to its folder. */
export const ENVIRONMENTS_FOLDER = 'config/environments';

/** The names of all environments of the project, sorted; those with faults are among them. */
export function listEnvironments(cwd: string): readonly string[] {
  return environmentFiles(cwd)
    .filter((file) => !readSource(cwd, file).template)
    .map((file) => basename(file, '.yaml'));
}

/** Paths of the files that are environments or templates, sorted. */
export function environmentFiles(cwd: string): readonly string[] {
  return filesIn(cwd).filter((file) => file.endsWith('.yaml') && !file.endsWith('.lock.yaml'));
}

/** Paths of everything in the folder, sorted. */
export function filesIn(cwd: string): readonly string[] {
  const folder = join(cwd, ENVIRONMENTS_FOLDER);
  if (!existsSync(folder)) return [];
  if (!statSync(folder).isDirectory()) {
    throw new RagdockError({ code: 'FILE_UNREADABLE', file: ENVIRONMENTS_FOLDER, message: 'is not a folder' });
  }
  return readdirSync(folder)
    .sort()
    .map((name) => `${ENVIRONMENTS_FOLDER}/${name}`);
}
