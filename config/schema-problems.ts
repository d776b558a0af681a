import type { z } from 'zod';
import { nearest } from '../src/errors/nearest.js';
import type { Problem } from '../src/errors/problem.js';
import { expectation } from './expectation.js';
import { schemaAt } from './json-schema.js';
import { type Located, locate, type Mark, type Path, showPath } from './located.js';
import { showValue } from './secret-names.js';

/** A problem that the schema found, and what rules must not build on because of it. */
export interface SchemaProblem {
  readonly problem: Problem;
  /** Paths whose value is not the one that was meant. */
  readonly doubtful: readonly Path[];
  /** A key is absent; it may be one that a fault of the YAML hides. */
  readonly missing: boolean;
}

type Issue = z.core.$ZodIssue;

/** The issues of the schema as problems with places, one for each unknown key. */
export function schemaProblems(issues: readonly Issue[], root: Located, input: unknown): SchemaProblem[] {
  return issues.flatMap((issue) => problemsOf(issue, root, input));
}

function problemsOf(issue: Issue, root: Located, input: unknown): SchemaProblem[] {
  const path = issue.path.map((segment) => (typeof segment === 'number' ? segment : String(segment)));
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(root, path, key, input));
  if (issue.code === 'invalid_key') return [badKey(root, path, issue.issues[0]?.message ?? issue.message)];
  const { exact } = locate(root, path);
  const found = exact ? badValue(issue, root, path, input) : missingKey(root, path, input);
  if (issue.code !== 'invalid_union') return [found];
  // Of a mapping whose kind is not known nothing can be said.
  const parent = path.slice(0, -1);
  return [{ ...found, doubtful: [parent, [...parent.slice(0, -1), '*']] }];
}

function unknownKey(root: Located, parent: Path, key: string, input: unknown): SchemaProblem {
  const path = [...parent, key];
  const known = Object.keys(schemaAt(parent, input)?.properties ?? {});
  const meant = nearest(key, known);
  return {
    problem: {
      code: 'CONFIG_UNKNOWN_KEY',
      ...place(locate(root, path).key, path),
      message: `the key ${JSON.stringify(key)} is not known here`,
      remedy: meant ? `Did you mean \`${meant}\`?` : `Known here: ${known.join(', ')}.`,
    },
    // The setting that was meant is not set, so its default says nothing.
    doubtful: meant ? [path, [...parent, meant]] : [path],
    missing: false,
  };
}

function badKey(root: Located, path: Path, message: string): SchemaProblem {
  const key = String(path.at(-1));
  return {
    problem: {
      code: 'CONFIG_SCHEMA',
      ...place(locate(root, path).key, path),
      message: `${message}, got the key ${JSON.stringify(key)}`,
      remedy: 'Choose another key.',
    },
    doubtful: [path, [...path.slice(0, -1), '*']],
    missing: false,
  };
}

function missingKey(root: Located, path: Path, input: unknown): SchemaProblem {
  const key = String(path.at(-1));
  const node = schemaAt(path, input);
  const about = node?.description === undefined ? '' : ` (${node.description})`;
  return {
    problem: {
      code: 'CONFIG_SCHEMA',
      ...place(locate(root, path).key, path),
      message: `\`${key}\` is missing${about}`,
      remedy: `Add \`${key}:\` with ${node ? expectation(node) : 'a value'}.`,
    },
    doubtful: [path],
    missing: true,
  };
}

function badValue(issue: Issue, root: Located, path: Path, input: unknown): SchemaProblem {
  const value = path.reduce<unknown>((at, segment) => (at as Record<string, unknown>)[segment], input);
  const node = schemaAt(path, input);
  const given = showValue(path.at(-1), value);
  // A refinement says itself what is wrong; for the rest the schema says what is expected.
  const own = issue.code === 'custom' || issue.message.startsWith('expected ');
  const message = own ? issue.message : `expected ${node ? expectation(node) : 'another value'}`;
  return {
    problem: {
      code: 'CONFIG_SCHEMA',
      ...place(locate(root, path).value, path),
      message: `${message}, got ${given}`,
      remedy: remedyFor(value, node),
    },
    doubtful: [path],
    missing: false,
  };
}

function remedyFor(value: unknown, node: ReturnType<typeof schemaAt>): string | undefined {
  if (value === null) return 'Give it a value, or remove the key for its default.';
  if (node?.type === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return 'Put the value into quotes.';
  }
  const meant = typeof value === 'string' && node?.enum && nearest(value, node.enum.map(String));
  return meant ? `Did you mean \`${meant}\`?` : undefined;
}

function place(mark: Mark, path: Path): Mark & { path: string } {
  return { ...mark, path: showPath(path) };
}
