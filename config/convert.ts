import { isAlias, isMap, isPair, isScalar, isSeq, type ParsedNode, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Problem } from '../src/errors/problem.js';
import type { Entry, Located, Mark } from './located.js';

/** Values that aliases may add to a file in all. A file of settings that gets near it was not written by hand. */
const ALIAS_BUDGET = 1000;

export interface Converted {
  readonly root: Located | undefined;
  readonly problems: readonly Problem[];
  /** Places whose value could not be told; what depends on them is not worth reporting. */
  readonly unreadable: readonly Mark[];
}

/** The parser's nodes as located values. Aliases become the value they name, within a budget; repeated keys are told. */
export function convert(contents: ParsedNode, mark: (offset: number) => Mark): Converted {
  const converter = new Converter(mark);
  const root = converter.value(contents);
  return { root, problems: converter.problems, unreadable: converter.unreadable };
}

class Converter {
  readonly problems: Problem[] = [];
  readonly unreadable: Mark[] = [];
  readonly #mark: (offset: number) => Mark;
  /** What each anchor names so far; `open` while its own value is still being read. */
  readonly #anchors = new Map<string, Located | 'open' | undefined>();
  /** Number of values in each value, with those that its aliases add. */
  readonly #sizes = new WeakMap<Located, number>();
  #added = 0;

  constructor(mark: (offset: number) => Mark) {
    this.#mark = mark;
  }

  value(node: ParsedNode): Located | undefined {
    if (isAlias(node)) return this.#alias(node.source, this.#mark(node.range[0]));
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, 'open');
    const located = this.#own(node);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, located);
    return located;
  }

  #own(node: ParsedNode): Located | undefined {
    const mark = this.#mark(node.range?.[0] ?? 0);
    if (isMap(node)) return this.#map(node as YAMLMap.Parsed, mark);
    if (isSeq(node)) return this.#list(node as YAMLSeq.Parsed, mark);
    if (!isScalar(node)) return undefined;
    const { value } = node;
    const simple = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    return this.#sized({ kind: 'scalar', mark, value: simple ? value : null }, 0);
  }

  #list(node: YAMLSeq.Parsed, mark: Mark): Located {
    const items = node.items
      .map((item) => (isPair(item) ? undefined : this.value(item)))
      .filter((item) => item !== undefined);
    return this.#sized({ kind: 'list', mark, items }, this.#total(items));
  }

  #map(node: YAMLMap.Parsed, mark: Mark): Located {
    const entries = new Map<string, Entry>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : undefined;
      const at = this.#mark(key.range[0]);
      const located = value ? this.value(value) : ({ kind: 'scalar', mark: at, value: null } as const);
      // A key that is no text has been reported by the parser.
      if (name === undefined || located === undefined || this.#refused(name, at)) continue;
      const earlier = entries.get(name);
      if (earlier) this.#repeated(name, earlier.key, at);
      entries.set(name, { key: at, value: located });
    }
    return this.#sized({ kind: 'map', mark, entries }, this.#total([...entries.values()].map((entry) => entry.value)));
  }

  #alias(name: string, mark: Mark): Located | undefined {
    const target = this.#anchors.get(name);
    if (target === undefined || target === 'open') {
      this.unreadable.push(mark);
      this.problems.push(
        target === 'open'
          ? { code: 'YAML_ALIASES', ...mark, message: `the alias *${name} stands inside the value that it names` }
          : {
              code: 'YAML_SYNTAX',
              ...mark,
              message: `no anchor &${name} stands above`,
              remedy: 'Write the value out.',
            },
      );
      return undefined;
    }
    const before = this.#added;
    this.#added += this.#sizes.get(target) ?? 1;
    if (this.#added <= ALIAS_BUDGET) return target;
    this.unreadable.push(mark);
    if (before <= ALIAS_BUDGET) {
      const message = `with *${name}, the aliases add more than ${ALIAS_BUDGET} values`;
      this.problems.push({ code: 'YAML_ALIASES', ...mark, message });
    }
    return undefined;
  }

  #refused(key: string, mark: Mark): boolean {
    if (key === '<<') {
      const remedy = 'Write the keys out, or use `extends`.';
      // The keys that it would bring are missing now, which says nothing about the file.
      this.unreadable.push(mark);
      this.problems.push({ code: 'YAML_SYNTAX', ...mark, message: 'merge keys (<<) are not part of YAML 1.2', remedy });
    } else if (key === '__proto__') {
      this.problems.push({ code: 'CONFIG_UNKNOWN_KEY', ...mark, message: 'the key "__proto__" is not known here' });
    }
    return key === '<<' || key === '__proto__';
  }

  #repeated(key: string, first: Mark, second: Mark): void {
    const message = `the key ${JSON.stringify(key)} is given in line ${first.line} already`;
    this.problems.push({ code: 'YAML_DUPLICATE_KEY', ...second, message });
  }

  #sized<T extends Located>(located: T, inside: number): T {
    this.#sizes.set(located, inside + 1);
    return located;
  }

  #total(values: readonly Located[]): number {
    return values.reduce((sum, value) => sum + (this.#sizes.get(value) ?? 1), 0);
  }
}
