import { basename, dirname, join } from 'node:path';
import type { Problem } from '../src/errors/problem.js';
import { type Located, type LocatedMap, overlay } from './located.js';
import { readText } from './read-text.js';
import { parseYaml } from './yaml.js';

/** An environment file with the one that it extends laid under it, before the schema has seen it. */
export interface Source {
  /** Undefined when nothing can be said about the settings. */
  readonly root: LocatedMap | undefined;
  readonly problems: readonly Problem[];
  /** By file: lines above this one mean what they say. A file without a fault in its structure is absent. */
  readonly trustedBefore: ReadonlyMap<string, number>;
  /** The file extends one that cannot be extended, so settings may be missing that are given somewhere. */
  readonly baseMissing: boolean;
  /** The file says that it is no environment of its own. */
  readonly template: boolean;
}

/** Read a file and, one level deep, the one that it extends. */
export function readSource(cwd: string, file: string): Source {
  const own = readMapping(cwd, file);
  const reference = own.root?.entries.get('extends')?.value;
  if (!own.root || !reference || reference.kind !== 'scalar' || typeof reference.value !== 'string') return own;
  if (own.template) {
    const message = 'a template extends nothing itself';
    return {
      ...own,
      problems: [...own.problems, extendsInvalid(reference, message, 'Remove `extends` or `template`.')],
    };
  }
  const base = readBase(cwd, file, reference.value);
  if ('refused' in base) {
    const problem = extendsInvalid(reference, base.refused, base.remedy);
    return { ...own, problems: [...own.problems, problem], baseMissing: true };
  }
  return {
    root: base.root ? (overlay(withoutOwn(base.root), own.root) as LocatedMap) : own.root,
    problems: [...own.problems, ...base.problems],
    trustedBefore: new Map([...own.trustedBefore, ...base.trustedBefore]),
    baseMissing: base.root === undefined,
    template: false,
  };
}

function readMapping(cwd: string, file: string): Source {
  const read = readText(cwd, file);
  if ('problem' in read) {
    return { root: undefined, problems: [read.problem], trustedBefore: new Map(), baseMissing: false, template: false };
  }
  return parseMapping(read.text, file);
}

/** The text of an environment file that extends nothing. */
export function parseMapping(text: string, file: string): Source {
  const { root, problems, trustedBefore } = parseYaml(text, file);
  const sound = trustedBefore === Number.POSITIVE_INFINITY;
  const template = root?.kind === 'map' ? root.entries.get('template')?.value : undefined;
  return {
    root: root?.kind === 'map' ? root : undefined,
    problems: root?.kind === 'map' || !sound ? problems : [...problems, noMapping(root, file)],
    trustedBefore: sound ? new Map() : new Map([[file, trustedBefore]]),
    baseMissing: false,
    template: template?.kind === 'scalar' && template.value === true,
  };
}

function noMapping(root: Located | undefined, file: string): Problem {
  const empty = !root || (root.kind === 'scalar' && root.value === null);
  const message = empty
    ? 'the file holds no settings'
    : `expected a mapping, got a ${root.kind === 'list' ? 'list' : 'single value'}`;
  return { code: 'CONFIG_SCHEMA', line: 1, column: 1, file, ...root?.mark, message, remedy: 'Start with `schema: 1`.' };
}

function readBase(cwd: string, file: string, name: string): Source | { refused: string; remedy?: string } {
  if (name !== basename(name) || !name.endsWith('.yaml') || name.endsWith('.lock.yaml') || name.includes('\\')) {
    return { refused: `${JSON.stringify(name)} is no name of an environment file in this folder` };
  }
  const path = join(dirname(file), name);
  if (path === file) return { refused: 'the file extends itself' };
  const base = readMapping(cwd, path);
  if (base.problems.length === 0 && base.root) {
    const remedy = `Add \`template: true\` to ${name} if it is not an environment of its own.`;
    if (!base.template) return { refused: `${name} is an environment, not a template`, remedy };
    if (base.root.entries.has('extends')) return { refused: `${name} extends another file itself` };
  }
  const [unreadable] = base.problems;
  if (unreadable?.code === 'FILE_UNREADABLE') return { refused: `${name} ${unreadable.message}` };
  return base;
}

/** A template without the two keys that say what it is. */
function withoutOwn(template: LocatedMap): LocatedMap {
  const entries = new Map(template.entries);
  entries.delete('template');
  entries.delete('extends');
  return { ...template, entries };
}

function extendsInvalid(reference: Located, message: string, remedy?: string): Problem {
  return { code: 'EXTENDS_INVALID', ...reference.mark, path: 'extends', message, ...(remedy && { remedy }) };
}
