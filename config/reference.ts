import { expectation } from './expectation.js';
import { discriminatorOf, type SchemaNode, SETTINGS_SCHEMA } from './json-schema.js';

interface Row {
  readonly path: string;
  readonly kind: string;
  readonly fallback: string;
  readonly description: string;
}

/** `docs/configuration.md`: every setting with its type, default and meaning, in the schema's order. */
export function configurationPage(): string {
  const rows = rowsOf(SETTINGS_SCHEMA, '', true);
  return [
    '# Configuration\n\n',
    'An environment is one file, `config/environments/NAME.yaml`. Its first line,\n',
    '`# yaml-language-server: $schema=../schema.json`, lets editors complete and check it; `ragdock validate` tells\n',
    'everything that is wrong, and `ragdock validate --print` shows all settings with their defaults. With\n',
    '`extends: base.yaml` it is laid over a file of the same folder that has `template: true`: mappings are merged key by\n',
    'key, lists and single values are replaced.\n\n',
    '`<name>` stands for a name of your choice. A setting without default may be left out unless it is *required*.\n\n',
    '| Setting | Type | Default | Meaning |\n|---|---|---|---|\n',
    ...rows.map(
      ({ path, kind, fallback, description }) => `| \`${path}\` | ${kind} | ${fallback} | ${description} |\n`,
    ),
  ].join('');
}

function rowsOf(node: SchemaNode, path: string, root = false): readonly Row[] {
  const below = (key: string): string => (path === '' ? key : `${path}.${key}`);
  const properties = Object.entries(node.properties ?? {}).flatMap(([key, property]) => {
    const required = node.required?.includes(key) === true;
    return [rowOf(property, below(key), required), ...rowsOf(property, below(key))];
  });
  const entries = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
  const named = entries
    ? entries.oneOf
      ? kindsOf(entries.oneOf, below('<name>'))
      : namedOf(entries, below('<name>'))
    : [];
  const items = node.items?.type === 'object' ? rowsOf(node.items, `${path}[]`) : [];
  return root ? properties : [...properties, ...named, ...items];
}

const namedOf = (entries: SchemaNode, path: string): readonly Row[] =>
  entries.type === 'object' ? rowsOf(entries, path) : [];

/** One row for each setting of a mapping that may be of several kinds; where they differ it says which means what. */
function kindsOf(kinds: readonly SchemaNode[], path: string): readonly Row[] {
  const [discriminator, node] = discriminatorOf(kinds);
  const telling = rowOf(node, `${path}.${discriminator}`, true);
  const rows = kinds.flatMap((kind) => {
    const name = String(kind.properties?.[discriminator]?.const);
    return rowsOf(kind, path).map((row) => ({ name, row }));
  });
  const paths = [...new Set(rows.map(({ row }) => row.path))].filter((it) => it !== telling.path);
  return [
    telling,
    ...paths.map((it) =>
      merged(
        it,
        kinds.length,
        rows.filter(({ row }) => row.path === it),
      ),
    ),
  ];
}

function merged(path: string, kinds: number, rows: readonly { readonly name: string; readonly row: Row }[]): Row {
  const names = rows.map(({ name }) => `\`${name}\``).join(', ');
  const ofAll = (field: 'kind' | 'fallback' | 'description', join: string): string => {
    const values = [...new Set(rows.map(({ row }) => row[field]))];
    const [value = ''] = values;
    if (values.length === 1) return field === 'description' && rows.length < kinds ? `${names}: ${value}` : value;
    return rows.map(({ name, row }) => `\`${name}\`: ${row[field]}`).join(join);
  };
  return {
    path,
    kind: ofAll('kind', '; '),
    fallback: ofAll('fallback', '; '),
    description: ofAll('description', '. '),
  };
}

function rowOf(node: SchemaNode, path: string, required: boolean): Row {
  return {
    path,
    kind: cell(expectation(node)),
    fallback: required ? '*required*' : showDefault(node.default),
    description: cell(node.description ?? ''),
  };
}

/** Values of a line or less; an empty mapping means that every setting in it has its default. */
function showDefault(value: unknown): string {
  if (value === undefined || isEmpty(value)) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 80 ? `\`${cell(text.slice(0, 77))}…\`` : `\`${cell(text)}\``;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

/** A table's cell is one line, and a bar would end it. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
