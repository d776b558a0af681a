import type { FastifyBaseLogger } from 'fastify';
import type { DisconnectReason } from 'socket.io';
import type { z } from 'zod';
import type { ChatMessage } from '../../rag/ports.js';
import { TokenBucket } from '../token-bucket.js';
import type { Answer } from './answer.js';
import { Conversation } from './conversation.js';
import { type ChatSocket, Delivery } from './delivery.js';
import { MESSAGE_ID, type Question, type questionSchema, type Receipt } from './events.js';
import { Failure, type FailureCode } from './failures.js';
import type { WebBotLimits } from './limits.js';

/** What a session needs of the chat that it belongs to. */
export interface Desk {
  readonly questions: ReturnType<typeof questionSchema>;
  readonly limits: WebBotLimits;
  readonly log: FastifyBaseLogger;
  find(messageId: string): Answer | undefined;
  /**
   * Start answering. Throws a {@link Failure} when no more questions are taken.
   *
   * @param history - what was said before, oldest first
   */
  ask(question: Question, history: readonly ChatMessage[], clientAddress: string): Answer;
}

/** One connected socket: takes its questions, one at a time, and has the answers delivered to it. */
export class Session {
  readonly #bucket: TokenBucket;
  readonly #conversation = new Conversation();
  #current: { readonly answer: Answer; readonly delivery: Delivery } | undefined;

  constructor(
    private readonly socket: ChatSocket,
    private readonly clientAddress: string,
    private readonly desk: Desk,
  ) {
    this.#bucket = new TokenBucket(desk.limits.questionBurst, desk.limits.questionRefillMs);
  }

  /** `send_message`, with whatever a stranger put into it. */
  receive(args: readonly unknown[]): void {
    const last = args.at(-1);
    const acknowledge = (receipt: Receipt) => {
      if (typeof last === 'function') last(receipt);
    };
    const parsed = this.desk.questions.safeParse(args[0]);
    try {
      if (!this.#bucket.take()) throw new Failure('rate_limited');
      if (!parsed.success) throw new Failure(fault(parsed.error));
      const answer = this.#take(parsed.data);
      acknowledge({ ok: true });
      this.#deliver(answer);
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure('internal', {}, { cause: error });
      // Everybody's chat must not end with one reader's packet.
      if (failure.code === 'internal') this.desk.log.error({ err: error }, 'a question could not be taken');
      acknowledge({ ok: false, code: failure.code, text: failure.text });
      this.#refuse(parsed.data?.message_id ?? readId(args[0]), failure);
    }
  }

  /** The socket is gone. A client that said so wants no more; a lost connection may come back. */
  leave(reason: DisconnectReason): void {
    if (!this.#current) return;
    const { answer, delivery } = this.#current;
    this.#current = undefined;
    delivery.cancel();
    answer.detach(delivery, reason === 'client namespace disconnect' ? 0 : this.desk.limits.graceMs);
  }

  #take(question: Question): Answer {
    const known = this.desk.find(question.message_id);
    if (known && !sameQuestion(known.question, question)) throw new Failure('message_id_reused');
    const current = this.#current?.answer;
    if (current?.isRunning && current !== known) throw new Failure('busy');
    return known ?? this.#ask(question);
  }

  #ask(question: Question): Answer {
    const { course, message } = question;
    const answer = this.desk.ask(question, this.#conversation.about(course), this.clientAddress);
    void answer.ended.then(() => {
      if (answer.isComplete) this.#conversation.add({ course, question: message, answer: answer.text });
    });
    return answer;
  }

  #deliver(answer: Answer): void {
    this.#current?.delivery.cancel();
    const delivery = new Delivery(this.socket, answer.question.message_id, this.desk.limits, () => {
      if (this.#current?.delivery === delivery) this.#current = undefined;
    });
    this.#current = { answer, delivery };
    answer.attach(delivery);
  }

  /** The same by event, for clients that pass no acknowledgement; not when the id is another question's. */
  #refuse(messageId: string | undefined, failure: Failure): void {
    if (messageId === undefined || this.desk.find(messageId)) return;
    this.socket.emit('bot_finished', {
      message_id: messageId,
      ok: false,
      reason: 'refused',
      exchange_id: null,
      sources: null,
      text: failure.text,
    });
  }
}

function fault({ issues }: z.ZodError): FailureCode {
  const [issue] = issues;
  switch (issue?.path[0]) {
    case 'message':
      if (issue.code === 'too_big') return 'message_too_long';
      if (issue.code === 'too_small') return 'message_empty';
      return issue.code === 'custom' ? 'message_unprintable' : 'message_malformed';
    case 'user_name':
      return 'user_name_invalid';
    case 'course':
      return 'course_unknown';
    default:
      return 'message_malformed';
  }
}

/** The id of a question that is refused for another fault. */
function readId(payload: unknown): string | undefined {
  if (typeof payload !== 'object' || payload === null || !('message_id' in payload)) return undefined;
  const id = payload.message_id;
  return typeof id === 'string' && MESSAGE_ID.test(id) ? id : undefined;
}

function sameQuestion(a: Question, b: Question): boolean {
  return a.message === b.message && a.user_name === b.user_name && a.course === b.course;
}
