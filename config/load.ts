import { existsSync } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import { nearest } from '../src/errors/nearest.js';
import { type Problem, throwProblems } from '../src/errors/problem.js';
import { type Draft, readDraft } from './draft.js';
import type { Environment } from './environment.js';
import { ENVIRONMENTS_FOLDER, environmentFiles, filesIn, listEnvironments } from './environment-files.js';
import { deepFreeze } from './freeze.js';
import { lockFileOf, readLock } from './lock-file.js';
import { clashesAcross } from './rules/across.js';

/** Where environments are read from. */
export interface LoadOptions {
  /** The project's folder: it holds config/environments, and files are named relative to it. */
  readonly cwd: string;
}

/** Environments that are sound, and every problem of those that are not. */
export interface Inspection {
  readonly environments: readonly Environment[];
  readonly problems: readonly Problem[];
}

/**
 * Read one environment: its file with the one that it extends, all defaults, and its lock file if there is one.
 *
 * @param nameOrPath `dev` for config/environments/dev.yaml, or the path of a file
 * @param options @default - the current folder is the project's
 * @throws RagdockError with every problem at once
 */
export function loadEnvironment(nameOrPath: string, options: LoadOptions = { cwd: process.cwd() }): Environment {
  const { environments, problems } = inspectEnvironments([nameOrPath], options);
  throwProblems(problems);
  return environments[0] as Environment;
}

/**
 * Read all environments of the project; templates and lock files are none. They may not claim the same names, ports
 * and networks on one host.
 *
 * @param options @default - the current folder is the project's
 * @throws RagdockError with every problem of every environment
 */
export function loadEnvironments(options: LoadOptions = { cwd: process.cwd() }): readonly Environment[] {
  const { environments, problems } = inspectEnvironments(undefined, options);
  throwProblems(problems);
  return environments;
}

/**
 * Read environments and tell everything that is wrong with them, without throwing.
 *
 * @param wanted names or paths; undefined for all environments of the project
 */
export function inspectEnvironments(wanted: readonly string[] | undefined, { cwd }: LoadOptions): Inspection {
  const { drafts, problems: refused } = wanted ? findDrafts(wanted, cwd) : allDrafts(cwd);
  const read = drafts.map((draft) => ({ draft, ofLock: readLock(cwd, lockFileOf(draft.file)) }));
  const environments = read.flatMap(({ draft: { name, file, settings, problems }, ofLock }) =>
    settings && problems.length === 0 && ofLock.problems.length === 0
      ? [deepFreeze({ name, file, settings, lock: ofLock.lock, lockPlaceOf: ofLock.placeOf })]
      : [],
  );
  const problems = [
    ...refused,
    ...read.flatMap(({ draft, ofLock }) => [...draft.problems, ...ofLock.problems]),
    ...clashesAcross(drafts),
  ];
  return { environments, problems: withoutRepeats(problems) };
}

interface Found {
  readonly drafts: readonly Draft[];
  readonly problems: readonly Problem[];
}

/** Every environment of the project, as far as it can be read. */
export function allDrafts(cwd: string): Found {
  const read = environmentFiles(cwd).map((file) => readDraft(cwd, file));
  const drafts = read.filter((draft) => !draft.template);
  const problems = [...strayFiles(cwd), ...read.filter((draft) => draft.template).flatMap((draft) => draft.problems)];
  if (drafts.length > 0 || problems.length > 0) return { drafts, problems };
  const message = `${ENVIRONMENTS_FOLDER} holds no environment`;
  const remedy = `${knownRemedy([])} The folder is looked for in ${cwd}.`;
  return { drafts, problems: [{ code: 'ENVIRONMENT_UNKNOWN', message, remedy }] };
}

/** A file that is passed over because of its ending would be an environment that silently is none. */
function strayFiles(cwd: string): readonly Problem[] {
  return filesIn(cwd)
    .filter((file) => file.endsWith('.yml'))
    .map((file) => {
      const message = 'files of environments end in .yaml; this one is passed over';
      return { code: 'CONFIG_RULE', file, message, remedy: 'Rename or remove the file.' };
    });
}

function findDrafts(wanted: readonly string[], cwd: string): Found {
  const files = new Set(wanted.map((nameOrPath) => fileOf(nameOrPath, cwd)));
  const found = [...files].map((file) => findDraft(file, cwd));
  return {
    drafts: found.filter((draft) => 'name' in draft),
    problems: found.filter((draft) => 'code' in draft),
  };
}

function fileOf(nameOrPath: string, cwd: string): string {
  if (nameOrPath.includes('/')) return relative(cwd, resolve(cwd, nameOrPath));
  return `${ENVIRONMENTS_FOLDER}/${nameOrPath.replace(/\.yaml$/, '')}.yaml`;
}

function findDraft(file: string, cwd: string): Draft | Problem {
  if (file.endsWith('.lock.yaml')) return unknown(cwd, file, `${file} is a lock file`);
  if (!existsSync(resolve(cwd, file))) return unknown(cwd, file, `${file} does not exist`);
  const draft = readDraft(cwd, file);
  return draft.template ? unknown(cwd, file, `${file} is a template for environments that extend it`) : draft;
}

function unknown(cwd: string, file: string, message: string): Problem {
  const known = listEnvironments(cwd);
  const meant = nearest(basename(file).replace(/(\.lock)?\.yaml$/, ''), known);
  return { code: 'ENVIRONMENT_UNKNOWN', message, remedy: meant ? `Did you mean \`${meant}\`?` : knownRemedy(known) };
}

function knownRemedy(known: readonly string[]): string {
  return known.length > 0 ? `Known: ${known.join(', ')}.` : `Describe one in ${ENVIRONMENTS_FOLDER}/NAME.yaml.`;
}

/** Two environments that extend one file find the same faults in it. */
function withoutRepeats(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>();
  return problems.filter((problem) => {
    const key = JSON.stringify([
      problem.code,
      problem.file,
      problem.line,
      problem.column,
      problem.path,
      problem.message,
    ]);
    return !seen.has(key) && seen.add(key);
  });
}
