import { createParser } from 'eventsource-parser';

/** Longest event that is accepted, in characters; a server that sends no line end would fill the memory. */
const LONGEST_EVENT = 1_048_576;

/**
 * Data of server-sent events from bytes that were cut anywhere, also inside a character. Comments (keep-alives) give
 * nothing. An event that is not ended by an empty line when the bytes end was cut off and is dropped.
 */
export class SseDecoder {
  // One decoder for the whole stream: Cyrillic takes two bytes a letter, and a chunk may end between them.
  readonly #text = new TextDecoder('utf-8', { ignoreBOM: false });
  #ready: string[] = [];
  readonly #parser = createParser({
    onEvent: ({ data }) => this.#ready.push(data),
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') throw error;
    },
    maxBufferSize: LONGEST_EVENT,
  });

  /** The data of the events that these bytes completed. */
  push(bytes: Uint8Array): readonly string[] {
    this.#parser.feed(this.#text.decode(bytes, { stream: true }));
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }
}
