import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type Metric, RAG_API_METRICS, RAG_STAGES } from '../../../dashboards/metrics.js';
import { RagFailure } from '../../rag/failure.js';
import type { Component, Summary } from '../../rag/pipeline.js';
import { FEEDBACK_VALUES, type FeedbackValue, type Passage } from '../../rag/ports.js';
import type { Retrieved } from '../../rag/retrieve.js';
import { ClientGone } from './asking.js';

/** What is looked at whenever the metrics are read. */
export interface Gauged {
  readonly streamsInFlight: () => number;
  readonly waiting: () => { readonly size: number; readonly bytes: number };
}

/** The metrics of one API process, in a registry of their own. */
export class RagApiMetrics {
  readonly registry = new Registry();

  readonly #requests = this.#counter(RAG_API_METRICS.requests);
  readonly #rejected = this.#counter(RAG_API_METRICS.rejected);
  readonly #failures = this.#counter(RAG_API_METRICS.failures);
  readonly #hits = this.#counter(RAG_API_METRICS.retrievalHits);
  readonly #noContext = this.#counter(RAG_API_METRICS.noContext);
  readonly #degraded = this.#counter(RAG_API_METRICS.degraded);
  readonly #aborts = this.#counter(RAG_API_METRICS.upstreamAborts);
  readonly #lost = this.#counter(RAG_API_METRICS.exchangesLost);
  readonly #feedback = this.#counter(RAG_API_METRICS.feedback);
  readonly #tokens = this.#counter(RAG_API_METRICS.tokens);
  readonly #firstToken = this.#histogram(RAG_API_METRICS.firstToken);
  readonly #endToEnd = this.#histogram(RAG_API_METRICS.endToEnd);
  readonly #stages = this.#histogram(RAG_API_METRICS.stages);
  readonly #topScore = this.#histogram(RAG_API_METRICS.topScore);

  constructor({ streamsInFlight, waiting }: Gauged) {
    collectDefaultMetrics({ register: this.registry });
    for (const value of FEEDBACK_VALUES) this.#feedback.inc({ value }, 0);
    this.#gauge(RAG_API_METRICS.streamsInFlight, streamsInFlight);
    this.#gauge(RAG_API_METRICS.exchangesWaiting, () => waiting().size);
    this.#gauge(RAG_API_METRICS.exchangesWaitingBytes, () => waiting().bytes);
  }

  feedback(value: FeedbackValue): void {
    this.#feedback.inc({ value });
  }

  rejected(code: string): void {
    this.#rejected.inc({ code });
  }

  /** @param found what of it counts as found, after the gate */
  retrieved({ passages, failures }: Retrieved, found: readonly Passage[]): void {
    const best = new Map<string, number>();
    for (const { collection, score } of passages) {
      this.#hits.inc({ collection });
      best.set(collection, Math.max(score, best.get(collection) ?? Number.NEGATIVE_INFINITY));
    }
    for (const [collection, score] of best) this.#topScore.observe({ collection }, score);
    // Of collections that were not searched nobody knows whether they have something.
    if (found.length === 0 && failures.size === 0) this.#noContext.inc();
  }

  degraded(component: Component): void {
    this.#degraded.inc({ component });
  }

  began(ms: number): void {
    this.#firstToken.observe(ms / 1000);
  }

  saved(ms: number): void {
    this.#stages.observe({ stage: 'save' }, ms / 1000);
  }

  lost(): void {
    this.#lost.inc();
  }

  ended(summary: Summary): void {
    const { status, refused, question, timings, failure } = summary;
    this.#requests.inc({ course: question.course, outcome: outcomeOf(summary) });
    // Those that were ended by a stop of the service are aborted as well.
    if (failure instanceof ClientGone) this.#aborts.inc();
    if (status === 'error') this.#failures.inc({ code: failure instanceof RagFailure ? failure.kind : 'internal' });
    if (status === 'complete' && !refused) this.#endToEnd.observe((timings.total ?? 0) / 1000);
    for (const stage of RAG_STAGES) {
      const ms = timings[stage];
      if (ms !== undefined) this.#stages.observe({ stage }, ms / 1000);
    }
    this.#tokens.inc({ kind: 'prompt' }, summary.promptTokens ?? 0);
    this.#tokens.inc({ kind: 'completion' }, summary.completionTokens ?? 0);
  }

  #gauge({ name, help }: Metric, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  #counter({ name, help, labels }: Metric): Counter {
    return new Counter({ name, help, labelNames: [...labels], registers: [this.registry] });
  }

  #histogram({ name, help, labels, buckets }: Metric): Histogram {
    return new Histogram({
      name,
      help,
      labelNames: [...labels],
      registers: [this.registry],
      ...(buckets ? { buckets: [...buckets] } : {}),
    });
  }
}

/** A refusal is one whatever was down: nothing but an answer can be worse than it should be. */
function outcomeOf({ status, refused, degraded }: Summary): string {
  if (status !== 'complete') return status;
  if (refused) return 'refused';
  return degraded.length > 0 ? 'degraded' : 'answered';
}
