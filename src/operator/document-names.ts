import { type Problem, throwProblems } from '../errors/problem.js';
import { sourceOf } from '../rag/ingest/ingest.js';
import type { DocumentsPlace, StoredDocument } from './stored-documents.js';

/**
 * The stored documents that are named: each by its name, as it is or as a line of `list` shows it, or by the path of its
 * file; or, with `/` at its end, all below a folder.
 *
 * @throws RagdockError USAGE with every name that no document has
 */
export function namedDocuments(
  names: readonly string[],
  stored: readonly StoredDocument[],
  { collection, course }: Pick<DocumentsPlace, 'collection' | 'course'>,
): readonly string[] {
  const problems: Problem[] = [];
  const found = new Set<string>();
  for (const name of names) {
    const paths = matching(name, stored);
    for (const path of paths) found.add(path);
    if (paths.length > 0) continue;
    problems.push({
      code: 'USAGE',
      message: `${collection} has no document ${shownName(name) === name ? `'${name}'` : shownName(name)} of ${course}`,
      remedy:
        'Name documents as `ragdock documents list` does; with / at its end a name is all that is below a folder.',
    });
  }
  throwProblems(problems);
  return [...found].sort();
}

function matching(name: string, stored: readonly StoredDocument[]): readonly string[] {
  const paths = stored.map(({ path }) => path);
  const literal = paths.find((path) => shownName(path) === name) ?? paths.find((path) => path === name);
  if (literal !== undefined) return [literal];
  const source = sourceOf(quoted(name) ?? name);
  if (source.endsWith('/')) return paths.filter((path) => path.startsWith(source));
  return paths.includes(source) ? [source] : [];
}

/** Characters that a terminal does not show, or shows as something else: control, line, direction. */
const UNSHOWN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A name on one line that can be told from every other: in quotation marks, as JSON has it, where it has what is not shown. */
export function shownName(name: string): string {
  if (name.search(UNSHOWN) < 0 && !name.startsWith('"')) return name;
  return JSON.stringify(name).replace(UNSHOWN, (character) =>
    Array.from({ length: character.length }, (_, unit) => escaped(character.charCodeAt(unit))).join(''),
  );
}

const escaped = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`;

/** What a name in quotation marks stands for; undefined when it is none. */
function quoted(name: string): string | undefined {
  if (!name.startsWith('"')) return undefined;
  try {
    const value: unknown = JSON.parse(name);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
