import { type Estimate, estimate } from './bootstrap.js';
import type { Found, JudgedQuestion } from './judged.js';
import { type Judgements, ndcg, recall, reciprocalRank } from './measures.js';

/** The measures by their names, in the order in which they are told. */
const MEASURES = {
  'ndcg@10': (ranking, judgements) => ndcg(ranking, judgements, 10),
  'recall@3': (ranking, judgements) => recall(ranking, judgements, 3),
  mrr: reciprocalRank,
} as const satisfies Record<string, (ranking: readonly string[], judgements: Judgements) => number>;

export type Measure = keyof typeof MEASURES;
export type Metrics = Readonly<Record<Measure, Estimate>>;

/** How good rankings are. A question without a ranking found nothing. Throws when there is no question. */
export function evaluate(questions: readonly JudgedQuestion[], found: ReadonlyMap<string, Found>): Metrics {
  const estimates = Object.entries(MEASURES).map(([name, measure]) => {
    const values = questions.map(({ id, judgements }) => measure(found.get(id)?.ranking ?? [], judgements));
    return [name, estimate(values)] as const;
  });
  return Object.fromEntries(estimates) as Metrics;
}
