import { type CitationFilter, filterCitations } from './citations.js';
import { abortReason, RagFailure } from './failure.js';
import type { Llm, LlmEvent, Prompt } from './ports.js';

/** An answer of which the first characters have arrived. */
export interface OpenedAnswer {
  /** Everything up to and with the first character that is not white space. */
  readonly first: string;
  /** What follows `first`, ended by the event `end`. */
  readonly rest: AsyncGenerator<LlmEvent>;
}

/**
 * Asks the model and waits for its first character. A model that ends without one has failed, whatever status it
 * gave: the caller has not promised anything to its own client yet and can say so.
 */
export async function openAnswer(
  llm: Llm,
  prompt: Prompt,
  citations: CitationFilter,
  signal: AbortSignal,
): Promise<OpenedAnswer> {
  const events = filterCitations(llm.chat(prompt, signal), citations);
  let first = '';
  try {
    for (;;) {
      const { value, done } = await events.next();
      if (signal.aborted) throw abortReason(signal);
      if (done) throw new RagFailure('llm-failed', 'the stream of the model ended without a finish_reason');
      if (value.type === 'end') {
        throw new RagFailure('llm-failed', `the model gave no text and ended with finish_reason ${value.finishReason}`);
      }
      first += value.text;
      if (first.trim() !== '') break;
    }
  } catch (error) {
    await events.return(undefined);
    throw error;
  }
  return { first, rest: remaining(events, signal) };
}

async function* remaining(events: AsyncGenerator<LlmEvent>, signal: AbortSignal): AsyncGenerator<LlmEvent> {
  try {
    for (;;) {
      const { value, done } = await events.next();
      if (signal.aborted) throw abortReason(signal);
      if (done) throw new RagFailure('llm-failed', 'the stream of the model ended without a finish_reason');
      yield value;
      if (value.type === 'end') return;
    }
  } finally {
    await events.return(undefined);
  }
}
