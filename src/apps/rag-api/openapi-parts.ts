import { z } from 'zod';

/** What several parts of the API's description are written with. */

export const TOKEN = { type: 'string' } as const;

export const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

export function header(description: string, schema: object, required = false): object {
  return { description, ...(required ? { required } : {}), schema };
}

export const COMMON_HEADERS = {
  'X-Request-Id': header('The id that the log has', TOKEN, true),
  'X-Content-Type-Options': header('Always nosniff', { const: 'nosniff' }, true),
};

export function json(description: string, schema: object, headers: object = {}): object {
  return { description, headers: { ...headers, ...COMMON_HEADERS }, content: { 'application/json': { schema } } };
}

/** Fields that are ignored, however deep, but for one name that no honest client uses. */
export const UNLISTED = {
  propertyNames: { not: { const: '__proto__' } },
  additionalProperties: reference('Unlisted'),
};

export function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'output'): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io });
  return rest;
}
