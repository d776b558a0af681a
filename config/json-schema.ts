import { z } from 'zod';
import type { Path } from './located.js';
import { EnvironmentSchema } from './schema.js';

/** The part of JSON Schema that the settings' schema uses. */
export interface SchemaNode {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly default?: unknown;
  readonly title?: string;
  readonly description?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly propertyNames?: SchemaNode;
  readonly items?: SchemaNode;
  /** Kinds of a mapping, told apart by the constant of one property. */
  readonly oneOf?: readonly SchemaNode[];
}

/** The schema of an environment with everything that its files leave to templates filled in. */
export const SETTINGS_SCHEMA = z.toJSONSchema(EnvironmentSchema, { io: 'input' }) as SchemaNode;

/**
 * What the schema says about a path, or undefined where it knows no such path. Where a mapping may be of several kinds,
 * `input` says which one it is.
 */
export function schemaAt(path: Path, input: unknown): SchemaNode | undefined {
  let node: SchemaNode | undefined = SETTINGS_SCHEMA;
  let value = input;
  for (const segment of path) {
    node = node?.oneOf ? ofItsKind(node.oneOf, value) : node;
    const further: SchemaNode | boolean | undefined =
      typeof segment === 'number' ? node?.items : (node?.properties?.[segment] ?? node?.additionalProperties);
    node = typeof further === 'object' ? further : undefined;
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[segment] : undefined;
  }
  return node?.oneOf ? ofItsKind(node.oneOf, value) : node;
}

/** The property that tells kinds apart, with every value that it may have. */
export function discriminatorOf(kinds: readonly SchemaNode[]): readonly [name: string, node: SchemaNode] {
  const [first] = kinds;
  const name = Object.keys(first?.properties ?? {}).find((key) =>
    kinds.every((kind) => kind.properties?.[key]?.const !== undefined),
  );
  if (name === undefined) throw new Error('a mapping of several kinds has no property that tells them apart');
  const { description = '' } = first?.properties?.[name] ?? {};
  return [name, { type: 'string', enum: kinds.map((kind) => kind.properties?.[name]?.const), description }];
}

/** The kind that a value says it is of; of one that says nothing, only what tells the kinds apart is known. */
function ofItsKind(kinds: readonly SchemaNode[], value: unknown): SchemaNode {
  const [name, discriminator] = discriminatorOf(kinds);
  const told = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  const kind = kinds.find(({ properties }) => properties?.[name]?.const === told);
  return kind ?? { type: 'object', required: [name], properties: { [name]: discriminator } };
}

/**
 * `config/schema.json`, for editors. Any mapping may get its missing keys from the file that it extends, so only what
 * stands inside a list is required in one place; `ragdock validate` looks at the whole.
 */
export function editorSchema(): string {
  const {
    $schema,
    readOnly: _,
    ...schema
  } = z.toJSONSchema(EnvironmentSchema, { io: 'input' }) as SchemaNode & {
    readonly $schema: string;
    readonly readOnly: boolean;
  };
  const head = { $schema, $id: 'urn:ragdock:environment:1', title: 'ragdock environment' };
  return `${JSON.stringify({ ...head, ...withoutRequired(schema), required: ['schema'] }, null, 2)}\n`;
}

function withoutRequired(node: SchemaNode): SchemaNode & { readonly anyOf?: readonly SchemaNode[] } {
  const { required: _, oneOf, ...rest } = node;
  return {
    ...rest,
    // Without the property that tells them apart a mapping may be of more than one kind.
    ...(oneOf && { anyOf: oneOf.map(withoutRequired) }),
    ...(node.properties && {
      properties: Object.fromEntries(
        Object.entries(node.properties).map(([key, property]) => [key, withoutRequired(property)]),
      ),
    }),
    ...(typeof node.additionalProperties === 'object' && {
      additionalProperties: withoutRequired(node.additionalProperties),
    }),
  };
}
