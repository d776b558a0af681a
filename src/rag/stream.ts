import type { CitationFilter } from './citations.js';
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
  const events = llm.chat(prompt, signal)[Symbol.asyncIterator]();
  let first = '';
  try {
    for (;;) {
      const { text, end } = await nextPiece(events, citations, signal);
      first += text;
      if (first.trim() !== '') return { first, rest: remaining(events, end, citations, signal) };
      if (end) {
        throw new RagFailure('llm-failed', `the model gave no text and ended with finish_reason ${end.finishReason}`);
      }
    }
  } catch (error) {
    await events.return?.(undefined);
    throw error;
  }
}

type End = Extract<LlmEvent, { type: 'end' }>;

/** @param end came with the first characters. @default - the model goes on */
async function* remaining(
  events: AsyncIterator<LlmEvent>,
  end: End | undefined,
  citations: CitationFilter,
  signal: AbortSignal,
): AsyncGenerator<LlmEvent> {
  try {
    let last = end;
    while (!last) {
      const piece = await nextPiece(events, citations, signal);
      if (piece.text !== '') yield { type: 'text', text: piece.text };
      last = piece.end;
    }
    yield last;
  } finally {
    await events.return?.(undefined);
  }
}

/** What the filter lets through of the next event: one step, as each token takes it. */
async function nextPiece(
  events: AsyncIterator<LlmEvent>,
  citations: CitationFilter,
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly end: End | undefined }> {
  const { value, done } = await events.next();
  if (signal.aborted) throw abortReason(signal);
  if (done) throw new RagFailure('llm-failed', 'the stream of the model ended without a finish_reason');
  if (value.type === 'end') return { text: citations.end(), end: value };
  return { text: citations.push(value.text), end: undefined };
}
