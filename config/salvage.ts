import { type SchemaNode, schemaAt } from './json-schema.js';
import type { Path } from './located.js';
import { EnvironmentSchema, type Settings } from './schema.js';

/** Stand-ins for required texts, by their key; every other required value follows from the schema. */
const TEXTS: Readonly<Record<string, string>> = {
  name: 'stand-in',
  file: 'stand-in.gguf',
  folder: '/stand-in',
  sha256: '0'.repeat(64),
  image: 'stand-in:1',
  reason: 'stand-in',
  acknowledge: 'stand-in',
  url: 'STAND_IN',
  backend: 'local',
};

type Tree = Record<string, unknown>;

/**
 * Settings made of everything in `input` that the schema takes, so that rules can look at the rest of a file with
 * faults. What is wrong is left out, or replaced by a stand-in where it is required: the result is worth nothing at
 * the doubtful paths. Undefined when nothing sound is left.
 */
export function salvage(input: unknown, doubtful: readonly Path[]): Settings | undefined {
  const tree = structuredClone(input) as Tree;
  let wrong = doubtful;
  // What is left after a repair may be wrong itself: a mapping without its last entry, at most one level further up.
  for (let round = 0; round < ROUNDS; round++) {
    for (const path of wrong) repair(tree, path);
    const parsed = EnvironmentSchema.safeParse(tree);
    if (parsed.success) return parsed.data;
    wrong = parsed.error.issues.map((issue) => issue.path.map((key) => (typeof key === 'number' ? key : String(key))));
  }
  return undefined;
}

/** More rounds than the settings have levels that can become wrong by a repair below them. */
const ROUNDS = 4;

function repair(tree: Tree, path: Path): void {
  // A list is one value: what is left of it when an item is gone is no list that anybody wanted.
  const list = path.findIndex((segment) => typeof segment === 'number');
  const keys = (list === -1 ? path : path.slice(0, list)).map(String);
  const parent = keys.slice(0, -1);
  const last = keys.at(-1);
  if (last === undefined || last === '*') return;

  let at: unknown = tree;
  for (const key of parent) at = isTree(at) ? at[key] : undefined;
  // A path without a parent belongs to something larger that is doubtful itself.
  if (!isTree(at)) return;
  const node = schemaAt(keys, tree);
  if (node && schemaAt(parent, tree)?.required?.includes(last)) at[last] = standIn(node, last);
  else delete at[last];
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The smallest value that the schema takes here. */
function standIn(node: SchemaNode, key: string): unknown {
  if (node.const !== undefined) return node.const;
  if (node.enum) return node.enum[0];
  switch (node.type) {
    case 'object':
      return Object.fromEntries(
        (node.required ?? []).map((required) => [required, standIn(node.properties?.[required] ?? {}, required)]),
      );
    case 'array':
      return ['stand-in'];
    case 'integer':
    case 'number':
      return node.minimum ?? 1;
    default:
      return node.format === 'uri' ? 'https://stand-in.invalid/' : TEXTS[key];
  }
}
