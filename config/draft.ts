import { basename, dirname } from 'node:path';
import type { Problem } from '../src/errors/problem.js';
import { withCertificates } from './certificates.js';
import { isWithin, type LocatedMap, locate, type Mark, type Path, plain, showPath } from './located.js';
import { applyRules, type Finding } from './rules.js';
import { salvage } from './salvage.js';
import { EnvironmentSchema, type Settings } from './schema.js';
import { type SchemaProblem, schemaProblems } from './schema-problems.js';
import { parseMapping, readSource, type Source } from './source.js';

/** An environment file as far as it could be read, with everything that is wrong with it. */
export interface Draft {
  readonly name: string;
  readonly file: string;
  readonly template: boolean;
  /** Complete, but worth nothing where a setting is in doubt. Undefined when nothing can be said. */
  readonly settings: Settings | undefined;
  readonly problems: readonly Problem[];
  /**
   * Where a setting stands; the key above it for a default. Undefined for a setting in doubt: one with a wrong value,
   * one behind a fault in the structure of the file, or a default when a part of the file is missing.
   */
  placeOf(path: Path): Mark | undefined;
}

/** Most problems of one file that are told one by one. */
const MAX_PROBLEMS = 100;

/** Read a file with the one it extends, and judge it by the schema and the rules, as far as its faults allow. */
export function readDraft(cwd: string, file: string): Draft {
  return draftOf(readSource(cwd, file), file, cwd);
}

/** Judge a text that may become a file, and extends none. Files that it names are not looked at. */
export function draftOfText(text: string, file: string): Draft {
  return draftOf(parseMapping(text, file), file);
}

function draftOf(source: Source, file: string, cwd?: string): Draft {
  const name = basename(file, '.yaml');
  const { root, template, problems } = source;
  if (!root || template) {
    return { name, file, template, settings: undefined, problems: cut(problems), placeOf: () => undefined };
  }
  const { settings: judged, broken } = judge(root);
  const { settings, findings } = judged
    ? withCertificates(judged, cwd, dirname(file))
    : { settings: undefined, findings: [] };
  const doubtful = broken.flatMap((problem) => problem.doubtful);
  const draft: Draft = {
    name,
    file,
    template,
    settings,
    problems: [],
    placeOf: (path) => (isDoubtful(path, doubtful) ? undefined : settingPlace(source, root, path)),
  };
  const given = (path: Path) => locate(root, path).exact;
  const found = settings
    ? [...findings, ...applyRules(settings, name, given)].flatMap((finding) => report(draft, finding))
    : [];
  const schema = broken.filter((problem) => isTrusted(problem, source)).map(({ problem }) => problem);
  return { ...draft, problems: cut([...problems, ...schema, ...found].sort(inReadingOrder(file))) };
}

/** A finding as a problem with its place, unless it rests on a setting in doubt. */
export function report(
  draft: Draft,
  { code = 'CONFIG_RULE', path, restsOn = [], message, remedy }: Finding,
): Problem[] {
  const mark = draft.placeOf(path);
  const sound = mark && restsOn.every((setting) => draft.placeOf(setting));
  return sound ? [{ code, ...mark, path: showPath(path), message, remedy }] : [];
}

function judge(root: LocatedMap): { settings: Settings | undefined; broken: readonly SchemaProblem[] } {
  const input = plain(root);
  const parsed = EnvironmentSchema.safeParse(input);
  if (parsed.success) return { settings: parsed.data, broken: [] };
  const broken = schemaProblems(parsed.error.issues, root, input);
  const doubtful = broken.flatMap((problem) => problem.doubtful);
  return { settings: salvage(input, doubtful), broken };
}

/** What is absent from a file that could not be read to its end may yet be there; a garbled value was told already. */
function isTrusted({ problem, missing }: SchemaProblem, source: Source): boolean {
  if (missing) return isComplete(source);
  const garbled = source.problems.some(
    ({ code, file, line }) => code === 'YAML_SYNTAX' && file === problem.file && line === problem.line,
  );
  if (garbled) return false;
  return (problem.line ?? 0) < (source.trustedBefore.get(problem.file ?? '') ?? Number.POSITIVE_INFINITY);
}

const isComplete = (source: Source): boolean => source.trustedBefore.size === 0 && !source.baseMissing;

function isDoubtful(path: Path, doubtful: readonly Path[]): boolean {
  return doubtful.some((doubt) => isWithin(path, doubt));
}

function settingPlace(source: Source, root: LocatedMap, path: Path): Mark | undefined {
  const { key, value, exact } = locate(root, path);
  if (isComplete(source)) return exact ? value : key;
  return exact && value.line < (source.trustedBefore.get(value.file) ?? Number.POSITIVE_INFINITY) ? value : undefined;
}

/** The environment's own file first, each from the top down. */
function inReadingOrder(file: string): (a: Problem, b: Problem) => number {
  const rank = (problem: Problem): number => (problem.file === file ? 0 : 1);
  return (a, b) => rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

function cut(problems: readonly Problem[]): readonly Problem[] {
  const hidden = problems[MAX_PROBLEMS];
  if (!hidden) return problems;
  const message = `${problems.length - MAX_PROBLEMS} more problems of this file are not shown`;
  return [...problems.slice(0, MAX_PROBLEMS), { ...hidden, message, remedy: 'Correct those above first.' }];
}
