import type { Exchange } from '../../rag/ports.js';

/** A saved exchange as the API shows it. */
export function exchangeDocument(exchange: Exchange): object {
  return {
    id: exchange.id,
    request_id: exchange.requestId,
    created_at: exchange.createdAt.toISOString(),
    finished_at: exchange.finishedAt?.toISOString() ?? null,
    status: exchange.status,
    error_code: exchange.errorCode ?? null,
    user_name: exchange.userName,
    course: exchange.course,
    question: exchange.question,
    answer: exchange.answer,
    refused: exchange.refused,
    degraded: exchange.degraded,
    sources: exchange.sources,
    timings: exchange.timings,
    model: exchange.model,
    finish_reason: exchange.finishReason ?? null,
    prompt_tokens: exchange.promptTokens ?? null,
    completion_tokens: exchange.completionTokens ?? null,
  };
}
