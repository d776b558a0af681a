import { z } from 'zod';
import { type Exchange, FEEDBACK_VALUES } from '../../rag/ports.js';

const ExchangeSource = z.strictObject({
  number: z.int().min(1).describe('The number by which the answer cites it'),
  collection: z.string(),
  source: z.string(),
  title: z.string(),
  heading: z.string().describe('Headings above the passage, outermost first'),
  score: z.number(),
  text: z.string(),
  cited: z.boolean().nullish().describe('Whether the answer refers to it; missing where that is not known'),
});

const Feedback = z.strictObject({
  value: z.enum(FEEDBACK_VALUES),
  comment: z.string().nullable(),
  given_at: z.iso.datetime(),
});

/** A saved exchange as the API shows it. */
export const ExchangeDocument = z.strictObject({
  id: z.uuid(),
  request_id: z.string(),
  created_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  status: z.enum(['running', 'complete', 'aborted', 'error']),
  error_code: z.string().nullable(),
  user_name: z.string(),
  course: z.string(),
  question: z.string(),
  answer: z.string(),
  refused: z.boolean().describe('Whether the fixed refusal was given instead of an answer of the model'),
  degraded: z.array(z.string()).readonly().describe('What the answer had to do without'),
  sources: z.array(ExchangeSource.readonly()).readonly(),
  timings: z
    .record(z.string(), z.number())
    .readonly()
    .describe('Milliseconds of the stages, and from the question to `first_token` and to the end in `total`'),
  model: z.string(),
  finish_reason: z.string().nullable(),
  prompt_tokens: z.int().nullable(),
  completion_tokens: z.int().nullable(),
  feedback: Feedback.nullable().describe('What the user thought of it last'),
});
export type ExchangeDocument = z.output<typeof ExchangeDocument>;

export function exchangeDocument(exchange: Exchange): ExchangeDocument {
  const { feedback } = exchange;
  return {
    id: exchange.id,
    request_id: exchange.requestId,
    created_at: exchange.createdAt.toISOString(),
    finished_at: exchange.finishedAt?.toISOString() ?? null,
    status: exchange.status,
    error_code: exchange.errorCode ?? null,
    user_name: exchange.userName,
    course: exchange.course,
    question: exchange.question,
    answer: exchange.answer,
    refused: exchange.refused,
    degraded: exchange.degraded,
    sources: exchange.sources,
    timings: exchange.timings,
    model: exchange.model,
    finish_reason: exchange.finishReason ?? null,
    prompt_tokens: exchange.promptTokens ?? null,
    completion_tokens: exchange.completionTokens ?? null,
    feedback: feedback
      ? { value: feedback.value, comment: feedback.comment ?? null, given_at: feedback.givenAt.toISOString() }
      : null,
  };
}
