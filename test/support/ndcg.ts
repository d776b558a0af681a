/**
 * nDCG of one ranking with binary gain (Järvelin and Kekäläinen): 1 when all that is relevant stands first, as far as
 * there is room for it among the first `depth`.
 */
export function ndcg(ranking: readonly string[], relevant: ReadonlySet<string>, depth: number): number {
  const gainAt = (index: number) => 1 / Math.log2(index + 2);
  const sum = (gains: readonly number[]) => gains.reduce((total, gain) => total + gain, 0);
  const ideal = sum(Array.from({ length: Math.min(depth, relevant.size) }, (_, index) => gainAt(index)));
  if (ideal === 0) throw new Error('nothing is relevant');
  return sum(ranking.slice(0, depth).map((id, index) => (relevant.has(id) ? gainAt(index) : 0))) / ideal;
}
