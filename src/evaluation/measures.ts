// Measures of one ranking, as trec_eval has them: with linear gain, and what nobody judged counts as not relevant.

/** How relevant the passages are that somebody judged, by their ids; above 0 is relevant. */
export type Judgements = ReadonlyMap<string, number>;

/**
 * Normalised discounted cumulative gain of the first `depth` (Järvelin and Kekäläinen), 0 to 1: 1 when the most relevant
 * stand first, as far as there is room for them. Throws when nothing is relevant.
 */
export function ndcg(ranking: readonly string[], judgements: Judgements, depth: number): number {
  const gains = ranking.map((id) => gainOf(judgements, id));
  const ideal = [...judgements.values()].map((grade) => Math.max(0, grade)).sort((a, b) => b - a);
  const best = discounted(ideal, depth);
  if (best === 0) throw new Error('nothing is relevant');
  return discounted(gains, depth) / best;
}

/** The share of all that is relevant among the first `depth`, 0 to 1. Throws when nothing is relevant. */
export function recall(ranking: readonly string[], judgements: Judgements, depth: number): number {
  const relevant = [...judgements.values()].filter((grade) => grade > 0).length;
  if (relevant === 0) throw new Error('nothing is relevant');
  return ranking.slice(0, depth).filter((id) => gainOf(judgements, id) > 0).length / relevant;
}

/** 1 over the rank of the first that is relevant; 0 when none is. */
export function reciprocalRank(ranking: readonly string[], judgements: Judgements): number {
  const index = ranking.findIndex((id) => gainOf(judgements, id) > 0);
  return index < 0 ? 0 : 1 / (index + 1);
}

const gainOf = (judgements: Judgements, id: string): number => Math.max(0, judgements.get(id) ?? 0);

function discounted(gains: readonly number[], depth: number): number {
  return gains.slice(0, depth).reduce((sum, gain, index) => sum + gain / Math.log2(index + 2), 0);
}
