import { COMPLETION_BODY_KIB, completionSchema } from './completion-schema.js';
import { messageSchema } from './message.js';
import { reference, schemaOf, TOKEN, UNLISTED } from './openapi-parts.js';
import type { Operation } from './operations.js';
import { feedbackSchema, historySchema, userSchema } from './record-schemas.js';
import type { RagApiSettings } from './settings.js';

/** The settings that become a part of the description. */
export type DescribedSettings = Pick<RagApiSettings, 'courses' | 'limits'>;

/** Bodies of requests, by the names that operations refer to. */
export function inputSchemas(settings: DescribedSettings): object {
  return {
    Message: { ...schemaOf(messageSchema(settings), 'input'), ...UNLISTED },
    Feedback: { ...schemaOf(feedbackSchema(settings), 'input'), ...UNLISTED },
    Completion: openToOthers(schemaOf(completionSchema(settings), 'input')),
  };
}

/** Which of them an operation takes. */
const BODY_OF: Partial<Readonly<Record<string, string>>> = {
  processMessage: 'Message',
  giveFeedback: 'Feedback',
  createChatCompletion: 'Completion',
};

const REQUEST_ID = {
  name: 'X-Request-Id',
  in: 'header',
  description: 'The id of this request in the log: 1 to 64 of A-Z a-z 0-9 . _ -; another one is replaced',
  schema: TOKEN,
};

const EXCHANGE_ID = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'What X-Exchange-Id of an answer says',
  schema: { type: 'string', format: 'uuid' },
};

/** Parameters and body of an operation. */
export function inputOf({ id, path }: Operation, settings: DescribedSettings): object {
  const body = BODY_OF[id];
  return {
    parameters: [REQUEST_ID, ...(path.includes('{id}') ? [EXCHANGE_ID] : []), ...parametersOf(id, settings)],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            description: `At most ${body === 'Completion' ? COMPLETION_BODY_KIB : settings.limits.bodyKiB} KiB. Fields that are not listed are ignored.`,
            content: { 'application/json': { schema: reference(body) } },
          },
        }),
  };
}

function parametersOf(id: string, settings: DescribedSettings): readonly object[] {
  switch (id) {
    case 'listExchanges':
      return parameters('query', schemaOf(historySchema(settings), 'input'));
    case 'forgetUser':
      return parameters('path', schemaOf(userSchema, 'input'));
    case 'getModel':
      return [{ name: 'model', in: 'path', required: true, description: 'A course', schema: TOKEN }];
    default:
      return [];
  }
}

function parameters(place: 'query' | 'path', { properties, required }: Record<string, unknown>): readonly object[] {
  const names = new Set(required as readonly string[]);
  return Object.entries(properties as Record<string, object>).map(([name, schema]) => ({
    name,
    in: place,
    required: names.has(name),
    schema,
  }));
}

/** Clients of the protocol send fields that this API does not know, in every object. */
function openToOthers(schema: Record<string, unknown>): Record<string, unknown> {
  const opened = Object.entries(schema).map(([key, value]) => [key, openDeep(value)]);
  return { ...Object.fromEntries(opened), ...UNLISTED };
}

function openDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(openDeep);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, openDeep(inner)]);
  const copy = Object.fromEntries(entries) as Record<string, unknown>;
  return copy.type === 'object' ? { ...copy, ...UNLISTED } : copy;
}
