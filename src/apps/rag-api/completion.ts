import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, Ending } from '../../rag/pipeline.js';
import type { AskedCompletion } from './completion-schema.js';
import { problemOf } from './error-handler.js';
import { openAiError } from './openai-error.js';

/** Time for the event that says what went wrong to leave before its connection is destroyed, in milliseconds. */
const LAST_WORD_MS = 50;

/** What every object of one answer says about it. */
export interface CompletionHead {
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  readonly model: string;
}

export function completionHead(answer: Answer, requestId: string, model: string): CompletionHead {
  return { id: `chatcmpl-${answer.exchangeId ?? requestId}`, created: Math.floor(Date.now() / 1000), model };
}

/** An answer in one piece. Rejects when the answer broke off: half of one is none. */
export async function wholeCompletion(answer: Answer, head: CompletionHead): Promise<object> {
  let content = '';
  for await (const piece of answer.text) content += piece;
  const ending = answer.ending();
  const message = { role: 'assistant', content, refusal: null };
  return {
    ...head,
    object: 'chat.completion',
    choices: [{ index: 0, message, finish_reason: reasonOf(ending), logprobs: null }],
    usage: usageOf(ending),
  };
}

/**
 * An answer as server-sent events. Only a complete one ends with a finish_reason and [DONE]; one that broke off ends
 * with an event that says so, and with an error, which destroys the connection.
 */
export async function* completionEvents(
  answer: Answer,
  head: CompletionHead,
  { includeUsage }: Pick<AskedCompletion, 'includeUsage'>,
): AsyncGenerator<string> {
  const event = (choices: readonly object[], more: object = includeUsage ? { usage: null } : {}) =>
    `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`;
  const choice = (delta: object, reason: string | null = null) => [{ index: 0, delta, finish_reason: reason }];
  try {
    yield event(choice({ role: 'assistant', content: '' }));
    for await (const content of answer.text) yield event(choice({ content }));
  } catch (error) {
    yield `data: ${JSON.stringify(openAiError(problemOf(error)))}\n\n`;
    await delay(LAST_WORD_MS);
    throw error;
  }
  const ending = answer.ending();
  yield event(choice({}, reasonOf(ending)));
  if (includeUsage) yield event([], { usage: usageOf(ending) });
  yield 'data: [DONE]\n\n';
}

/** A refusal is a whole answer, which no model has ended. */
const reasonOf = ({ finishReason }: Ending): string => finishReason ?? 'stop';

/** Null where the model server does not count, and zeros where no model was asked. */
function usageOf({ finishReason, usage }: Ending): object | null {
  if (!usage && finishReason !== undefined) return null;
  const { promptTokens = 0, completionTokens = 0 } = usage ?? {};
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}
