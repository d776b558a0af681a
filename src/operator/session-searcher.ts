import type Docker from 'dockerode';
import { collectionsOf, type SettledCollection } from '../../config/collections.js';
import type { EvalPlan } from '../apps/operator/eval.js';
import { RagdockError } from '../errors/problem.js';
import type { Found, Searched, Searcher, SearchInput, SearchProgress } from '../evaluation/judged.js';
import { EvalEvent, parseEvent } from './events.js';
import { runSession, sweepSessions } from './session.js';
import type { DescribedStack } from './stack.js';
import { planStoreSession } from './store-session.js';

/** Vectors of a hundred thousand passages take hours on a processor. */
const DEADLINE_SECONDS = 6 * 3600;

/** The questions are held, a few batches of passages at once, and what every question found. */
const MEMORY_MIB = 512;

/** How long an interrupted session may take to remove its collection. */
const CLEANUP_SECONDS = 30;

export interface SessionSearcherOptions {
  readonly stack: DescribedStack;
  /** The measuring has a collection of its own, made as this one is. */
  readonly collection: SettledCollection;
  /** Whether what a gate looks at is asked for. */
  readonly forGate: boolean;
  readonly signal: AbortSignal;
}

/** Searches the Qdrant of a running stack, with its embeddings where the collection has them, from inside the stack. */
export class SessionSearcher implements Searcher {
  readonly #docker: Docker;
  readonly #options: SessionSearcherOptions;

  constructor(docker: Docker, options: SessionSearcherOptions) {
    this.#docker = docker;
    this.#options = options;
  }

  /** @throws RagdockError STACK_NOT_DEPLOYED, MEASURING_FAILED, SESSION_FAILED */
  async search(input: SearchInput, tell: (progress: SearchProgress) => void): Promise<Searched> {
    const { stack, collection, forGate, signal } = this.#options;
    const { plan, run } = await planStoreSession(this.#docker, stack, {
      purpose: 'eval',
      command: ['operator-eval'],
      vectors: collection.embedding !== undefined,
      deadlineSeconds: DEADLINE_SECONDS,
      memoryMiB: MEMORY_MIB,
    });
    const liveRuns = await sweepSessions(this.#docker, stack.topology.environment);
    const { name: like, language, embedding, limit } = collection;
    const first: EvalPlan = {
      run,
      liveRuns: [...liveRuns],
      language,
      like,
      ...(embedding ? { embedding: { ...embedding } } : {}),
      ...(forGate ? { limit } : {}),
      passages: input.passageCount,
      questions: input.questionCount,
    };
    const found = new Map<string, Found>();
    let last: EvalEvent | undefined;
    const { exitCode, diagnostics } = await runSession(this.#docker, plan, {
      input: linesOf(first, input),
      signal,
      deadlineSeconds: DEADLINE_SECONDS,
      cleanupSeconds: CLEANUP_SECONDS,
      onLine: (line) => {
        last = parseEvent(EvalEvent, line);
        if (last.event === 'progress') tell(last);
        else if (last.event === 'found') found.set(last.id, last);
      },
    });
    if (last?.event === 'done') return { by: last.by, found };
    const path = stack.services.qdrant.node.id;
    if (last?.event === 'error') throw new RagdockError({ code: 'MEASURING_FAILED', path, message: last.detail });
    const message = `the session ended with ${exitCode}${diagnostics === '' ? '' : `: ${diagnostics}`}`;
    throw new RagdockError({ code: 'SESSION_FAILED', path, message });
  }
}

/**
 * The collection of an environment that a measuring is made after: the one named, or the first that ragdock fills.
 *
 * @throws RagdockError USAGE for one that LangChain fills, or when there is no other
 */
export function measuredCollection({ environment }: DescribedStack, name: string | undefined): SettledCollection {
  const collections = collectionsOf(environment.settings.services);
  const own = collections.filter(({ layout }) => layout === 'ragdock');
  const found = name === undefined ? own[0] : own.find((one) => one.name === name);
  if (found) return found;
  throw new RagdockError({
    code: 'USAGE',
    path: `services.api.collections${name === undefined ? '' : `.${name}`}`,
    message: `${name ?? 'each collection'} is a collection of LangChain, and none of ragdock's own can be made like it`,
    remedy: own.length === 0 ? 'Measure without `--env`.' : `Name one of ${own.map((one) => one.name).join(', ')}.`,
  });
}

async function* linesOf(plan: EvalPlan, { passages, questions }: SearchInput): AsyncGenerator<string> {
  yield `${JSON.stringify(plan)}\n`;
  for await (const { id, title, text } of passages) yield `${JSON.stringify({ id, title, text })}\n`;
  for await (const { id, text } of questions) yield `${JSON.stringify({ id, text })}\n`;
}
