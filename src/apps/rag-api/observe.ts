import type { FastifyBaseLogger } from 'fastify';
import type { LearnerObserver } from '../../rag/learn.js';
import type { PipelineObserver } from '../../rag/pipeline.js';
import type { RagApiMetrics } from './metrics.js';

/** What happens to questions, as metrics and as log lines of ids, sizes and times; never text or names. */
export function observe(log: FastifyBaseLogger, metrics: RagApiMetrics): PipelineObserver {
  return {
    retrieved: (_question, retrieved, found) => metrics.retrieved(retrieved, found),
    degraded({ requestId }, component, cause) {
      metrics.degraded(component);
      log.warn({ requestId, component, err: cause }, 'degraded');
    },
    began: (_question, ms) => metrics.began(ms),
    saved: (_exchangeId, ms) => metrics.saved(ms),
    waits(exchangeId, cause) {
      log.warn({ exchangeId, err: cause }, 'exchange waits to be saved');
    },
    lost(exchangeId, cause) {
      metrics.lost();
      log.error({ exchangeId, err: cause }, 'exchange not saved');
    },
    savedLate(exchangeId) {
      log.info({ exchangeId }, 'exchange saved late');
    },
    ended(summary) {
      metrics.ended(summary);
      const { question, exchangeId, status, refused, degraded, sources, timings } = summary;
      const { finishReason, promptTokens, completionTokens, errorCode } = summary;
      log[status === 'error' ? 'error' : 'info'](
        {
          requestId: question.requestId,
          exchangeId,
          course: question.course,
          status,
          refused,
          degraded,
          sources: sources.length,
          questionCharacters: question.message.length,
          answerCharacters: summary.answer.length,
          timings,
          finishReason,
          promptTokens,
          completionTokens,
          errorCode,
          ...(status === 'error' ? { err: summary.failure } : {}),
        },
        'question ended',
      );
    },
  };
}

/** What is learned from feedback, as log lines; the text is in the collection. */
export function observeLearning(log: FastifyBaseLogger): LearnerObserver {
  return {
    followed(exchangeId, what) {
      log.info({ exchangeId }, what === 'put' ? 'exchange learned' : 'exchange not learned');
    },
    gaveUp(exchangeId, cause) {
      log.error({ exchangeId, err: cause }, 'exchange cannot be learned');
    },
    failed(cause) {
      log.warn({ err: cause }, 'feedback waits to be followed');
    },
  };
}
