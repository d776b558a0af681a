import type { ChatMessage } from '../../rag/ports.js';

/** Turns that are sent with a question: what a reader refers to was said a moment ago. */
const MOST_TURNS = 5;

/** UTF-8 bytes of all turns, less than half of what the API takes as a body. */
const MOST_BYTES = 24 * 1024;

/** A question and the answer to it. */
export interface Turn {
  readonly course: string;
  readonly question: string;
  readonly answer: string;
}

/**
 * What was said on one socket, so that a question may refer to it. It is kept by the socket and not looked up by the
 * name of a user, since everybody can call himself anything.
 */
export class Conversation {
  #turns: readonly Turn[] = [];

  add(turn: Turn): void {
    this.#turns = [...this.#turns, turn].slice(-MOST_TURNS);
  }

  /** The turns about a course, oldest first, as messages; the oldest are left out when they are too long together. */
  about(course: string): readonly ChatMessage[] {
    let bytes = 0;
    const messages: ChatMessage[] = [];
    for (const turn of this.#turns.filter((one) => one.course === course).reverse()) {
      bytes += Buffer.byteLength(JSON.stringify([turn.question, turn.answer]));
      if (bytes > MOST_BYTES) break;
      messages.unshift({ role: 'user', content: turn.question }, { role: 'assistant', content: turn.answer });
    }
    return messages;
  }
}
