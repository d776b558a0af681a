import { z } from 'zod';
import type { AskedQuestion, JudgedPassage } from '../../evaluation/judged.js';
import { QdrantSearcher } from '../../evaluation/qdrant-searcher.js';
import { leftoversOf } from './leftovers.js';
import { formatEvent, readLines } from './lines.js';
import { storesOf } from './stores.js';

/** How often it is told how far the measuring is, in milliseconds. */
const TELL_MS = 500;

/** The first line of the input. As many lines with passages follow, then as many with questions. */
export const EvalPlan = z.strictObject({
  run: z.string().regex(/^[a-z0-9-]+$/),
  /** Runs that are alive, or may be; collections of others are removed. */
  liveRuns: z.array(z.string()),
  language: z.enum(['russian', 'english']),
  /** The collection of the stack that the measuring's is made after. */
  like: z.string(),
  /** @default - BM25 alone */
  embedding: z.strictObject({ model: z.string(), dimension: z.int().min(1) }).optional(),
  /** Passages among which a gate looks. @default - nothing is told of what a gate looks at */
  limit: z.int().min(1).optional(),
  passages: z.int(),
  questions: z.int(),
});
export type EvalPlan = z.output<typeof EvalPlan>;

const PassageLine = z.strictObject({ id: z.string(), title: z.string(), text: z.string() });
const QuestionLine = z.strictObject({ id: z.string(), text: z.string() });

/** One line of the output; `done` or `error` comes last. */
export type EvalEvent =
  | { readonly event: 'progress'; readonly passages: number; readonly questions: number }
  | {
      readonly event: 'found';
      readonly id: string;
      readonly ranking: readonly string[];
      readonly similarity?: number | undefined;
      readonly support?: number | undefined;
    }
  | { readonly event: 'done'; readonly by: 'words' | 'words and vectors' }
  | { readonly event: 'error'; readonly detail: string };

/** The command `operator-eval`. It ends the process itself: input that nobody ends would keep it alive. */
export async function runOperatorEval(
  environment: NodeJS.ProcessEnv,
  input: AsyncIterable<Uint8Array>,
  write: (text: string) => void,
): Promise<never> {
  const terminated = new AbortController();
  process.once('SIGTERM', () => terminated.abort(new Error('the session was told to end')));
  const exitCode = await operatorEval(environment, input, write, terminated.signal);
  process.exit(exitCode);
}

/**
 * Measures in a collection of its own, and gives what each question found; the collection is gone afterwards.
 *
 * @param terminated aborts when the process is told to end
 */
export async function operatorEval(
  environment: NodeJS.ProcessEnv,
  input: AsyncIterable<Uint8Array>,
  write: (text: string) => void,
  terminated: AbortSignal,
): Promise<0 | 1> {
  const tell = (event: EvalEvent) => write(formatEvent(event));
  const stores = storesOf(environment);
  const lines = readLines(input);
  try {
    const plan = EvalPlan.parse(JSON.parse(await nextOf(lines)));
    const searcher = new QdrantSearcher({
      url: stores.qdrantUrl,
      credential: await stores.openCredential(),
      run: plan.run,
      isLeftover: leftoversOf(plan),
      language: plan.language,
      like: plan.like,
      embedding: plan.embedding,
      limit: plan.limit,
      openEmbedder: () => stores.openEmbedder(plan.embedding),
      signal: terminated,
    });
    const { by, found } = await searcher.search(
      {
        passages: passagesIn(lines, plan.passages),
        passageCount: plan.passages,
        questions: questionsIn(lines, plan.questions),
        questionCount: plan.questions,
      },
      sparingly((progress) => tell({ event: 'progress', ...progress })),
    );
    for (const [id, one] of found) tell({ event: 'found', id, ...one });
    tell({ event: 'done', by });
    return 0;
  } catch (error) {
    tell({ event: 'error', detail: error instanceof Error ? error.message : String(error) });
    return 1;
  }
}

async function* passagesIn(lines: AsyncIterator<string>, count: number): AsyncGenerator<JudgedPassage> {
  for (let number = 0; number < count; number += 1) yield PassageLine.parse(JSON.parse(await nextOf(lines)));
}

async function* questionsIn(lines: AsyncIterator<string>, count: number): AsyncGenerator<AskedQuestion> {
  for (let number = 0; number < count; number += 1) yield QuestionLine.parse(JSON.parse(await nextOf(lines)));
}

/** Whoever gave the input may be gone before its end; what was made then has to go too. */
async function nextOf(lines: AsyncIterator<string>): Promise<string> {
  const next = await lines.next();
  if (next.done) throw new Error('the input ended before its end');
  return next.value;
}

function sparingly<T>(tell: (progress: T) => void): (progress: T) => void {
  let told = Number.NEGATIVE_INFINITY;
  return (progress) => {
    if (performance.now() - told < TELL_MS) return;
    told = performance.now();
    tell(progress);
  };
}
