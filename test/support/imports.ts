import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { ROOT } from './environments.js';

export interface Import {
  /** Path of the importing file, relative to the project. */
  readonly from: string;
  /** Path of the imported file, or the name of a package. */
  readonly to: string;
  /** Whether nothing of it is there when the program runs. */
  readonly typeOnly: boolean;
}

const STATEMENT = /^(?:import|export)\s(type\s)?[^;'"]*?from\s'([^']+)'|^import\s'([^']+)'|\bimport\('([^']+)'\)/gm;

/** Every TypeScript file below the given folders of the project, relative to it, with its text. */
export function sourcesOf(folders: readonly string[]): ReadonlyMap<string, string> {
  const paths = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => posix.join(folder, file)),
  );
  return new Map(paths.sort().map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));
}

/** What the files import, read from their import lines. */
export function importsOf(sources: ReadonlyMap<string, string>): readonly Import[] {
  return [...sources].flatMap(([from, text]) =>
    [...text.matchAll(STATEMENT)].map(([, type, named, bare, dynamic]) => {
      const target = named ?? bare ?? dynamic ?? '';
      const to = target.startsWith('.') ? posix.join(posix.dirname(from), target.replace(/\.js$/, '.ts')) : target;
      return { from, to, typeOnly: type !== undefined };
    }),
  );
}

/** A way through the edges that ends where it starts, or undefined when there is none. */
export function findCycle(edges: readonly (readonly [from: string, to: string])[]): readonly string[] | undefined {
  const targets = new Map<string, Set<string>>();
  for (const [from, to] of edges) targets.set(from, (targets.get(from) ?? new Set()).add(to));
  const finished = new Set<string>();
  const visit = (node: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node];
    if (finished.has(node)) return undefined;
    for (const next of targets.get(node) ?? []) {
      const cycle = visit(next, [...way, node]);
      if (cycle) return cycle;
    }
    finished.add(node);
    return undefined;
  };
  for (const node of [...targets.keys()].sort()) {
    const cycle = visit(node, []);
    if (cycle) return cycle;
  }
  return undefined;
}
