import type { FastifyBaseLogger } from 'fastify';
import type { ChatMessage } from '../../rag/ports.js';
import { Answer } from './answer.js';
import { Answers } from './answers.js';
import type { ChatSocket } from './delivery.js';
import { type Question, questionSchema } from './events.js';
import { Failure } from './failures.js';
import type { WebBotLimits } from './limits.js';
import type { RagApi } from './rag-api.js';
import { type Desk, Session } from './session.js';
import type { WebBotSettings } from './settings.js';

/** The chat: sockets on one side, the RAG API on the other, and the answers between them. */
export class Chat implements Desk {
  readonly questions: ReturnType<typeof questionSchema>;
  readonly #answers: Answers;
  #isDraining = false;

  constructor(
    settings: WebBotSettings,
    private readonly api: RagApi,
    readonly limits: WebBotLimits,
    readonly log: FastifyBaseLogger,
  ) {
    this.questions = questionSchema(settings);
    this.#answers = new Answers(limits);
  }

  /** @param clientAddress - IP address of the reader */
  join(socket: ChatSocket, clientAddress: string): void {
    const session = new Session(socket, clientAddress, this);
    socket.on('send_message', (...args) => session.receive(args));
    socket.on('disconnect', (reason) => session.leave(reason));
    // A packet that breaks the protocol, whose connection Socket.IO has closed, or an event that a client named so:
    // either way the argument is the client's and stays out of the log.
    socket.on('error', () => this.log.debug('a client sent what is no packet'));
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  find(messageId: string): Answer | undefined {
    return this.#answers.find(messageId);
  }

  ask(question: Question, history: readonly ChatMessage[], clientAddress: string): Answer {
    if (this.#isDraining) throw new Failure('restarting');
    const answer = new Answer(question, history, clientAddress, this.api, this.limits, this.log);
    this.#answers.add(answer);
    return answer;
  }

  /** Take no more questions, and give the answers in flight some time to end. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    await this.#answers.drain(this.limits.drainMs);
  }
}
