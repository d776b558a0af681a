import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { type Problem, RagdockError, throwProblems } from '../errors/problem.js';

/** What a variable must hold. `optional-…` may be missing. */
export type VariableKind = 'path' | 'http-url' | 'postgres-url' | 'optional-path' | 'optional-http-url';

type Variables<Names extends Record<string, string>, Kinds extends Record<keyof Names, VariableKind>> = {
  readonly [Key in keyof Names]: Kinds[Key] extends `optional-${string}` ? string | undefined : string;
};

const REMEDY = 'The deployment sets this; deploy again, or correct how the container is started.';

/** What an app reads from its environment. Throws `RagdockError` (exit code 2) that names every variable at fault. */
export function readVariables<
  const Names extends Record<string, string>,
  const Kinds extends Record<keyof Names, VariableKind>,
>(environment: NodeJS.ProcessEnv, names: Names, kinds: Kinds): Variables<Names, Kinds> {
  const problems: Problem[] = [];
  const entries = Object.entries(names).map(([key, name]) => {
    const value = environment[name] === '' ? undefined : environment[name];
    const message = problemOf(value, kinds[key as keyof Names]);
    if (message) problems.push({ code: 'CONFIG_SCHEMA', path: name, message, remedy: REMEDY });
    return [key, value];
  });
  throwProblems(problems);
  return Object.fromEntries(entries) as Variables<Names, Kinds>;
}

/** The settings of an app, from a JSON file. Throws `RagdockError` (exit code 2) with every problem in it. */
export function readSettings<Schema extends z.ZodType>(file: string, schema: Schema): z.output<Schema> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const message = `the settings file cannot be read: ${(cause as Error).message}`;
    throw new RagdockError({ code: 'FILE_UNREADABLE', file, message }, { cause });
  }
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    const message = `the settings file is not JSON: ${(cause as Error).message}`;
    throw new RagdockError({ code: 'CONFIG_SCHEMA', file, message, remedy: REMEDY }, { cause });
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throwProblems(
    parsed.error.issues.map(({ path, message }) => ({
      code: 'CONFIG_SCHEMA',
      file,
      path: path.join('.') || '(root)',
      message,
      remedy: REMEDY,
    })),
  );
  throw parsed.error;
}

function problemOf(value: string | undefined, kind: VariableKind): string | undefined {
  if (value === undefined) return kind.startsWith('optional-') ? undefined : 'the environment variable is not set';
  if (kind.endsWith('http-url') && !hasProtocol(value, /^https?:$/)) return 'expected an address like http://host:port';
  if (kind === 'postgres-url') {
    const url = hasProtocol(value, /^postgres(ql)?:$/) ? new URL(value) : undefined;
    if (!url) return 'expected an address like postgresql://user@host:5432/database';
    if (url.password !== '') return 'the address holds a password; passwords come from files only';
    if (url.username === '') return `the address names no user: ${value}`;
  }
  return undefined;
}

function hasProtocol(value: string, protocol: RegExp): boolean {
  return URL.canParse(value) && protocol.test(new URL(value).protocol);
}
