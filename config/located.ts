/** Keys and list indices from the root of a file to a value. */
export type Path = readonly (string | number)[];

/** A place in a file; line and column count from 1. */
export interface Mark {
  /** Path as people know it: relative to the project's folder. */
  readonly file: string;
  /** From 1 on. */
  readonly line: number;
  /** From 1 on. */
  readonly column: number;
}

/** A value of a YAML file that knows where it was written. */
export type Located =
  | { readonly kind: 'scalar'; readonly mark: Mark; readonly value: string | number | boolean | null }
  | { readonly kind: 'list'; readonly mark: Mark; readonly items: readonly Located[] }
  | LocatedMap;

export interface LocatedMap {
  readonly kind: 'map';
  readonly mark: Mark;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  /** Where the key was written. */
  readonly key: Mark;
  readonly value: Located;
}

/** The value without its places. */
export function plain(located: Located): unknown {
  switch (located.kind) {
    case 'scalar':
      return located.value;
    case 'list':
      return located.items.map(plain);
    case 'map':
      return Object.fromEntries([...located.entries].map(([key, entry]) => [key, plain(entry.value)]));
  }
}

/** `over` laid over `base`: maps merge key by key at every level, everything else is replaced. */
export function overlay(base: Located, over: Located): Located {
  if (base.kind !== 'map' || over.kind !== 'map') return over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const below = base.entries.get(key);
    entries.set(key, below ? { key: entry.key, value: overlay(below.value, entry.value) } : entry);
  }
  return { kind: 'map', mark: over.mark, entries };
}

/** Where a path's value and key are, or those of its nearest ancestor that exists. */
export function locate(
  root: Located,
  path: Path,
): { readonly key: Mark; readonly value: Mark; readonly exact: boolean } {
  let at: { key: Mark; value: Located } = { key: root.mark, value: root };
  for (const segment of path) {
    const below = child(at.value, segment);
    if (!below) return { key: at.key, value: at.value.mark, exact: false };
    at = below;
  }
  return { key: at.key, value: at.value.mark, exact: true };
}

function child(located: Located, segment: string | number): Entry | undefined {
  if (located.kind === 'map') return located.entries.get(String(segment));
  const item = located.kind === 'list' ? located.items[Number(segment)] : undefined;
  return item && { key: item.mark, value: item };
}

/** A path as people read it: `services.api.courses.0`. What is not printable is escaped. */
export function showPath(path: Path): string {
  return path
    .map((segment) => (/^[\p{L}\p{N}_.-]+$/u.test(String(segment)) ? String(segment) : JSON.stringify(segment)))
    .join('.');
}

/** Whether `path` is `ancestor` or lies below it. */
export function isWithin(path: Path, ancestor: Path): boolean {
  return ancestor.every((segment, index) => String(path[index]) === String(segment));
}
