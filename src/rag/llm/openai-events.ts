import { RagFailure } from '../failure.js';
import type { Usage } from '../ports.js';

/** What one event of a chat stream says. */
export interface ChatEvent {
  readonly text: string;
  /** The model has produced something, be it only a part of a character or of its reasoning. */
  readonly progress: boolean;
  readonly finishReason: string | undefined;
  readonly usage: Usage | undefined;
}

interface RawEvent {
  readonly error?: { readonly message?: unknown; readonly code?: unknown } | string | null;
  readonly choices?: readonly {
    readonly index?: number;
    readonly delta?: {
      readonly content?: string | null;
      readonly reasoning?: string | null;
      readonly reasoning_content?: string | null;
    };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null;
}

/** What vLLM ends an answer with that it aborted, or whose generation failed. What came of it is not an answer. */
const GIVEN_UP: ReadonlySet<string> = new Set(['abort', 'error']);

/**
 * Reads the data of one event. Throws `RagFailure` for what is not an event, and for an error that the server sends
 * inside a stream that began with status 200 (vLLM follows it by [DONE]).
 */
export function readChatEvent(data: string): ChatEvent {
  const event = parse(data);
  if (event.error) {
    const message = typeof event.error === 'string' ? event.error : String(event.error.message);
    throw new RagFailure('llm-failed', `the model server failed inside the stream: ${message}`);
  }
  const choice = event.choices?.find(({ index }) => index === undefined || index === 0);
  if (GIVEN_UP.has(choice?.finish_reason ?? '')) {
    throw new RagFailure(
      'llm-failed',
      `the model server gave the answer up with finish_reason ${choice?.finish_reason}`,
    );
  }
  const delta = choice?.delta;
  const text = delta?.content ?? '';
  return {
    text,
    // The first event of vLLM carries the role and an empty text, and comes with the headers: no progress yet.
    progress: text !== '' || Boolean(delta?.reasoning ?? delta?.reasoning_content),
    finishReason: choice?.finish_reason ?? undefined,
    usage: event.usage
      ? { promptTokens: event.usage.prompt_tokens ?? 0, completionTokens: event.usage.completion_tokens ?? 0 }
      : undefined,
  };
}

function parse(data: string): RawEvent {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch (cause) {
    throw new RagFailure('llm-failed', 'the model server sent an event that is not JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RagFailure('llm-failed', 'the model server sent an event that is not an object');
  }
  return value;
}
