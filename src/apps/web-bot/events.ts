import { z } from 'zod';

/** Longest `user_name`, in UTF-16 units. The name reaches a prompt's surroundings and the history, so it stays short and printable. */
export const USER_NAME_CHARACTERS = 64;

/**
 * The four Socket.IO events of the chat; there are no others, in either direction.
 *
 * A question is named by its client: `message_id` is 8 to 64 characters of `A-Z a-z 0-9 _ -`, new for each question.
 * Sending the same question with the same id again is safe: a client that lost its connection does so, and is told
 * the answer from its beginning, whether that is still growing or already complete. A client that wants an answer to
 * stop disconnects from the namespace (`socket.disconnect()`); a connection that is merely lost gets a grace first.
 */
export interface ClientToServerEvents {
  /** `(question: Question, ack?: (receipt: Receipt) => void)`; typed as what a stranger can send. */
  send_message: (...args: unknown[]) => void;
}

export interface ServerToClientEvents {
  bot_typing: (event: { message_id: string; typing: boolean }) => void;
  /** `seq` counts from 0 without gaps in each delivery. A chunk with `seq` 0 starts the text anew, the others append. */
  bot_chunk: (event: { message_id: string; seq: number; text: string }) => void;
  bot_finished: (event: BotFinished) => void;
}

/** The answer to `send_message`. A refused one also ends with `bot_finished`, for clients that pass no `ack`. */
export type Receipt = { ok: true } | { ok: false; code: string; text: string };

/**
 * Why an answer ended. `complete`: all of it was delivered; `refused`: the question was not accepted; `aborted`: the
 * reader left; `error`: anything else, in which case the text so far is not the whole answer.
 */
export type FinishReason = 'complete' | 'aborted' | 'error' | 'refused';

export interface BotFinished {
  message_id: string;
  ok: boolean;
  reason: FinishReason;
  /** Where the API keeps the exchange; null when it never got that far. */
  exchange_id: string | null;
  /** Passages that the answer rests on; null when they are not known, which is not the same as none. */
  sources: readonly Source[] | null;
  /** One sentence for the reader, in Russian: what went wrong, or what a complete answer had to do without. */
  text?: string;
}

/** One passage that the API put into the prompt. */
export const Source = z.object({
  /** The number by which the answer cites it. @default - its place in the list, from 1 */
  number: z.int().nullish(),
  source: z.string(),
  title: z.string().nullish(),
  /** Headings above the passage, outermost first, as one text. */
  heading: z.string().nullish(),
  score: z.number().nullish(),
  collection: z.string(),
  text: z.string(),
  /** Whether the answer refers to it. @default - not known */
  cited: z.boolean().nullish(),
});
export type Source = z.output<typeof Source>;

export interface Question {
  message: string;
  user_name: string;
  course: string;
  message_id: string;
}

export const MESSAGE_ID = /^[\w-]{8,64}$/;

// Control characters (line breaks and tabs apart) and lone surrogates: no reader typed them, and not every store takes them.
const UNPRINTABLE = /(?![\n\r\t])[\p{Cc}\p{Cs}]/u;
// What the API takes as a name too: nothing invisible that makes two names look like one.
const PRINTABLE_NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;

/** The schema of a question for the courses and the message length of this installation. */
export function questionSchema(limits: { courses: readonly string[]; messageCharacters: number }) {
  return z.object({
    message_id: z.string().regex(MESSAGE_ID),
    message: z
      .string()
      .max(limits.messageCharacters)
      .trim()
      .min(1)
      .refine((text) => !UNPRINTABLE.test(text)),
    user_name: z.string().max(USER_NAME_CHARACTERS).trim().min(1).regex(PRINTABLE_NAME),
    course: z.string().refine((course) => limits.courses.includes(course)),
  });
}
