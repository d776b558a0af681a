import { z } from 'zod';
import { RagdockError } from '../errors/problem.js';

const DocumentStatus = z.enum(['new', 'updated', 'unchanged', 'failed']);
export type DocumentStatus = z.output<typeof DocumentStatus>;

/** What `operator-ingest` says, one JSON object a line. */
export const IngestEvent = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('document'),
    path: z.string(),
    chunks: z.int(),
    status: DocumentStatus,
    error: z.string().optional(),
    /** Passages that were removed of a document that holds no text any more. */
    removed: z.int().optional(),
  }),
  /** Passages of one more batch were stored. */
  z.object({ event: z.literal('progress'), passages: z.int() }),
  z.object({
    event: z.literal('done'),
    new: z.int(),
    updated: z.int(),
    unchanged: z.int(),
    failed: z.int(),
    chunks: z.int(),
  }),
  /** The ingestion could not begin. */
  z.object({ event: z.literal('error'), detail: z.string() }),
]);
export type IngestEvent = z.output<typeof IngestEvent>;

/** What `operator-documents` says, one JSON object a line. */
export const DocumentsEvent = z.discriminatedUnion('event', [
  z.object({ event: z.literal('document'), path: z.string(), title: z.string(), chunks: z.int() }),
  z.object({ event: z.literal('removed'), path: z.string(), chunks: z.int() }),
  z.object({ event: z.literal('done') }),
  z.object({ event: z.literal('error'), detail: z.string() }),
]);
export type DocumentsEvent = z.output<typeof DocumentsEvent>;

const Source = z.looseObject({
  source: z.string(),
  title: z.string(),
  heading: z.string(),
  score: z.number(),
  collection: z.string(),
  text: z.string(),
});
export type AnswerSource = z.output<typeof Source>;

/** What `operator-ask` says, one JSON object a line. */
export const AskEvent = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('accepted'),
    /** Null when the exchange is not saved. */
    exchangeId: z.string().nullable(),
    /** How many passages the answer rests on. */
    sources: z.int(),
    /** Parts of the service that the answer has to do without. */
    degraded: z.array(z.string()).readonly(),
  }),
  z.object({ event: z.literal('chunk'), text: z.string() }),
  z.object({ event: z.literal('done'), sources: z.array(Source).readonly() }),
  z.object({
    event: z.literal('error'),
    /** HTTP status; 0 when no answer came. */
    status: z.int(),
    code: z.string(),
    detail: z.string(),
  }),
]);
export type AskEvent = z.output<typeof AskEvent>;

/** What `operator-eval` says, one JSON object a line. */
export const EvalEvent = z.discriminatedUnion('event', [
  z.object({ event: z.literal('progress'), passages: z.int(), questions: z.int() }),
  /** What one question found. */
  z.object({
    event: z.literal('found'),
    id: z.string(),
    ranking: z.array(z.string()).readonly(),
    similarity: z.number().optional(),
    support: z.number().optional(),
  }),
  z.object({ event: z.literal('done'), by: z.enum(['words', 'words and vectors']) }),
  z.object({ event: z.literal('error'), detail: z.string() }),
]);
export type EvalEvent = z.output<typeof EvalEvent>;

/** One line of a session as an event. Throws SESSION_FAILED for what is none. */
export function parseEvent<Schema extends z.ZodType>(schema: Schema, line: string): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw notUnderstood(line);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw notUnderstood(line);
  return parsed.data;
}

function notUnderstood(line: string): RagdockError {
  return new RagdockError({
    code: 'SESSION_FAILED',
    message: `the session said something that is not understood: ${JSON.stringify(line.slice(0, 200))}`,
    remedy: 'The deployed apps are of another version than this command; deploy again.',
  });
}
