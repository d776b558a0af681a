import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer, Pipeline, Question } from '../../rag/pipeline.js';
import type { Streams } from './streams.js';

/**
 * How long a client may take what is left of an answer that broke off, in milliseconds. Without this time the error
 * could overtake even the headers.
 */
const FLUSH_MS = 500;

/** Why an answer ends early when nothing is wrong with it. */
class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** What a request asks. */
export type Asked = Omit<Question, 'requestId'>;

/** Puts questions of requests to the pipeline, and has their answers end when their clients are gone. */
export class Asking {
  constructor(
    private readonly pipeline: Pipeline,
    private readonly streams: Streams,
  ) {}

  /** Rejects with `ApiProblem`, `RagFailure` or the reason of an abort. The reply still needs its headers and body. */
  async ask(request: FastifyRequest, reply: FastifyReply, asked: Asked): Promise<Answer> {
    const controller = this.streams.enter(request.asker);
    // Not request.signal: that one aborts as soon as the body of a POST has been read.
    const closed = () => {
      if (!reply.raw.writableFinished) controller.abort(new ClientGone('the client closed the connection'));
      this.streams.leave(controller);
    };
    if (reply.raw.closed) closed();
    else reply.raw.once('close', closed);

    const answer = await this.pipeline.ask({ requestId: request.id, ...asked }, controller.signal);
    // A reader that takes nothing would hold a broken answer back for ever.
    answer.signal.addEventListener('abort', () => setTimeout(() => reply.raw.destroy(), FLUSH_MS).unref(), {
      once: true,
    });
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
