import { describe, expect, test } from 'vitest';
import { estimate, quantile } from '../../src/evaluation/bootstrap.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import { ndcg, recall, reciprocalRank } from '../../src/evaluation/measures.js';

const graded = new Map([
  ['a', 3],
  ['b', 2],
  ['c', 1],
  ['d', 0],
  ['e', -1],
]);
/** 3/log2(2) + 2/log2(3) + 1/log2(4), by hand. */
const IDEAL = 4.761859507142916;

describe('nDCG', () => {
  test.each([
    ['1 for the best ranking', ['a', 'b', 'c'], 10, 1],
    // 1/log2(2) + 3/log2(3) + 2/log2(4) = 3.892789260714372
    ['less for grades in another order', ['c', 'a', 'b'], 10, 3.892789260714372 / IDEAL],
    ['0 without anything relevant', ['d', 'e', 'x'], 10, 0],
    ['blind to what nobody judged, which takes a rank', ['x', 'a'], 10, 3 / Math.log2(3) / IDEAL],
    // The ideal is cut at the same depth: 3 + 2/log2(3).
    ['blind to what stands below its depth', ['a', 'x', 'b'], 2, 3 / (3 + 2 / Math.log2(3))],
    ['not lowered by a grade below 0', ['a', 'b', 'c', 'e'], 10, 1],
  ])('is %s', (_, ranking, depth, value) => {
    expect(ndcg(ranking, graded, depth)).toBeCloseTo(value, 12);
  });

  test('of a question without an answer is no number but an error', () => {
    expect(() => ndcg(['a'], new Map([['a', 0]]), 10)).toThrow('nothing is relevant');
    expect(() => recall(['a'], new Map(), 10)).toThrow('nothing is relevant');
  });
});

test.each([
  [['a', 'x', 'y', 'b'], 3, 1 / 3],
  [['a', 'b', 'c'], 3, 1],
  [['d', 'e', 'x'], 3, 0],
  [[], 3, 0],
])('of %j, recall at %d is %d', (ranking, depth, value) => {
  expect(recall(ranking, graded, depth)).toBeCloseTo(value, 12);
});

test.each([
  [['a'], 1],
  [['x', 'd', 'c', 'a'], 1 / 3],
  [['x', 'e'], 0],
  [[], 0],
])('of %j, the reciprocal rank is %d', (ranking, value) => {
  expect(reciprocalRank(ranking, graded)).toBeCloseTo(value, 12);
});

describe('an estimate', () => {
  const values = Array.from({ length: 400 }, (_, index) => (index % 4 === 0 ? 0 : 1));

  test('has the mean, and an interval as wide as the binomial says', () => {
    const { value, low, high } = estimate(values);
    const halfWidth = 1.96 * Math.sqrt((0.75 * 0.25) / 400);
    expect(value).toBe(0.75);
    expect(low).toBeCloseTo(0.75 - halfWidth, 2);
    expect(high).toBeCloseTo(0.75 + halfWidth, 2);
  });

  test('is the same each time', () => {
    expect(estimate(values)).toEqual(estimate([...values]));
  });

  test('of equal values has no width', () => {
    expect(estimate([0.5, 0.5, 0.5])).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
  });

  test('of nothing is an error', () => {
    expect(() => estimate([])).toThrow('nothing');
  });
});

test.each([
  [0, 1],
  [0.5, 2.5],
  [0.25, 1.75],
  [1, 4],
])('the quantile %d of 1 to 4 is %d', (share, value) => {
  expect(quantile([1, 2, 3, 4], share)).toBeCloseTo(value, 12);
});

test('a question that found nothing counts as 0', () => {
  const judgements = new Map([['a', 1]]);
  const questions = [
    { id: 'q1', text: '', judgements },
    { id: 'q2', text: '', judgements },
  ];
  const metrics = evaluate(questions, new Map([['q1', { ranking: ['x', 'a'] }]]));
  expect(metrics['ndcg@10'].value).toBeCloseTo(1 / Math.log2(3) / 2, 12);
  expect(metrics['recall@3'].value).toBe(0.5);
  expect(metrics.mrr.value).toBe(0.25);
});
