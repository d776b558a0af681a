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
}

/** The schema of an environment with everything that its files leave to templates filled in. */
export const SETTINGS_SCHEMA = z.toJSONSchema(EnvironmentSchema, { io: 'input' }) as SchemaNode;

/** What the schema says about a path, or undefined where it knows no such path. */
export function schemaAt(path: Path): SchemaNode | undefined {
  let node: SchemaNode | undefined = SETTINGS_SCHEMA;
  for (const segment of path) {
    const further: SchemaNode | boolean | undefined =
      typeof segment === 'number' ? node?.items : (node?.properties?.[segment] ?? node?.additionalProperties);
    node = typeof further === 'object' ? further : undefined;
  }
  return node;
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

function withoutRequired(node: SchemaNode): SchemaNode {
  const { required: _, ...rest } = node;
  return {
    ...rest,
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
