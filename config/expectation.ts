import type { SchemaNode } from './json-schema.js';

/** What a value has to be, in words: `a whole number from 1 to 65535`. The reference and the messages share it. */
export function expectation(node: SchemaNode): string {
  if (node.title !== undefined) return node.title;
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum) return node.enum.length === 1 ? String(node.enum[0]) : `one of ${node.enum.join(', ')}`;
  switch (node.type) {
    case 'integer':
      return `a whole number${bounds(node)}`;
    case 'number':
      return `a number${bounds(node)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return node.minItems ? 'a list that is not empty' : 'a list';
    case 'object':
      return 'a mapping';
    default:
      return FORMATS[node.format ?? ''] ?? `a text${length(node)}`;
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  uri: 'a URL',
  ipv4: 'an IPv4 address',
  cidrv4: 'an IPv4 range',
};

function bounds({ minimum, maximum, exclusiveMinimum }: SchemaNode): string {
  const from = exclusiveMinimum === undefined ? minimum : exclusiveMinimum;
  const above = exclusiveMinimum === undefined ? 'from' : 'above';
  if (from === undefined) return maximum === undefined ? '' : ` up to ${maximum}`;
  if (maximum === undefined) return ` ${above} ${from}`;
  return exclusiveMinimum === undefined ? ` from ${from} to ${maximum}` : ` above ${from}, up to ${maximum}`;
}

function length({ minLength, maxLength }: SchemaNode): string {
  if (minLength === undefined) return maxLength === undefined ? '' : ` of at most ${maxLength} characters`;
  return maxLength === undefined
    ? ` of at least ${minLength} characters`
    : ` of ${minLength} to ${maxLength} characters`;
}
