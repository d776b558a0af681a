import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer, Pipeline, Question } from '../../rag/pipeline.js';
import type { Streams } from './streams.js';

/**
 * How long a client may take what is left of an answer that broke off, in milliseconds. Without this time the error
 * could overtake even the headers.
 */
const FLUSH_MS = 500;

/**
 * How long after the total deadline of an answer its client may take what is left of it, in milliseconds. The clean
 * end of one that ended in time may be held back for 15 s by PostgreSQL.
 */
export const TAKE_MS = 20_000;

/** Why an answer ends early when nothing is wrong with it. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** What a request asks. */
export type Asked = Omit<Question, 'requestId'>;

/** Puts questions of requests to the pipeline, and has their answers end when their clients are gone. */
export class Asking {
  /** @param longestMs how long a reply may take from question to last byte, in milliseconds, however slow its reader */
  constructor(
    private readonly pipeline: Pipeline,
    private readonly streams: Streams,
    private readonly longestMs: number,
  ) {}

  /** Rejects with `ApiProblem`, `RagFailure` or the reason of an abort. The reply still needs its headers and body. */
  async ask(request: FastifyRequest, reply: FastifyReply, asked: Asked): Promise<Answer> {
    const controller = this.streams.enter(request.asker);
    const { socket } = request.raw;
    const destroySoon = () => setTimeout(() => reply.raw.destroy(), FLUSH_MS).unref();
    // The pipeline's own deadline is over when the text is; a reader that takes nothing would keep its place for ever.
    const overdue = setTimeout(() => reply.raw.destroy(), this.longestMs).unref();
    // Not request.signal: that one aborts as soon as the body of a POST has been read.
    const closed = () => {
      clearTimeout(overdue);
      socket.off('close', closed);
      if (!reply.raw.writableFinished) controller.abort(new ClientGone('the client closed the connection'));
      this.streams.leave(controller);
    };
    if (reply.raw.closed || socket.destroyed) closed();
    else {
      reply.raw.once('close', closed);
      // A reply that waits behind another one on its connection is not told.
      socket.once('close', closed);
    }
    controller.signal.addEventListener('abort', destroySoon, { once: true });

    const answer = await this.pipeline.ask({ requestId: request.id, ...asked }, controller.signal);
    // A reader that takes nothing would hold a broken answer back for ever.
    answer.signal.addEventListener('abort', destroySoon, { once: true });
    return answer;
  }
}

/** The headers of every answer, whatever its body is written in. */
export function setAnswerHeaders(reply: FastifyReply, answer: Answer): void {
  const timings = Object.entries(answer.timings).map(([stage, ms]) => `${stage};dur=${ms.toFixed(1)}`);
  reply
    .code(200)
    .header('cache-control', 'no-cache, no-transform')
    // Says to nginx what the line above says to others.
    .header('x-accel-buffering', 'no')
    .header('x-rag-sources', answer.sources.length)
    .header('server-timing', timings.join(', '));
  if (answer.exchangeId) reply.header('x-exchange-id', answer.exchangeId);
  if (answer.degraded.length > 0) reply.header('x-rag-degraded', answer.degraded.join(', '));
}
