import type { Socket } from 'socket.io';
import type { Outcome, Reader } from './answer.js';
import type { ClientToServerEvents, ServerToClientEvents } from './events.js';

export type ChatSocket = Socket<ClientToServerEvents, ServerToClientEvents>;

interface CoalesceLimits {
  readonly coalesceMs: number;
  readonly coalesceCharacters: number;
}

/**
 * Tells one socket one answer. Tokens are gathered into chunks, and while the connection has not taken the last chunk
 * they go on gathering: a slow reader gets larger chunks, not a longer queue.
 */
export class Delivery implements Reader {
  #seq = 0;
  #gathered = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: ChatSocket,
    readonly messageId: string,
    private readonly limits: CoalesceLimits,
    private readonly onEnd: () => void,
  ) {}

  begin(): void {
    this.#typing(true);
  }

  text(piece: string): void {
    this.#gathered += piece;
    // The first words are what the reader waits for; they do not wait for more.
    const due = this.#seq === 0 || this.#gathered.length >= this.limits.coalesceCharacters;
    if (due && this.#isWritable) this.#flush();
    else this.#flushLater();
  }

  end(outcome: Outcome): void {
    this.#flush();
    this.#typing(false);
    this.socket.emit('bot_finished', { message_id: this.messageId, ...outcome });
    this.onEnd();
  }

  /** The socket is gone, or is told something else. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#gathered = '';
  }

  get #isWritable(): boolean {
    return this.socket.conn.transport.writable;
  }

  #flushLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#isWritable) this.#flush();
      else this.#flushLater();
    }, this.limits.coalesceMs).unref();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#gathered === '') return;
    this.socket.emit('bot_chunk', { message_id: this.messageId, seq: this.#seq++, text: this.#gathered });
    this.#gathered = '';
  }

  #typing(typing: boolean): void {
    this.socket.emit('bot_typing', { message_id: this.messageId, typing });
  }
}
