import { describe, expect, test } from 'vitest';
import { calibrate } from '../../src/evaluation/calibration.js';
import { takeHalfAway } from '../../src/evaluation/removal.js';

const scored = (withAnswer: readonly (number | undefined)[], without: readonly (number | undefined)[]) => [
  ...withAnswer.map((score) => ({ score, answerable: true })),
  ...without.map((score) => ({ score, answerable: false })),
];

describe('calibrate', () => {
  test('counts by hand: of 3 x 3 pairs, 7 are in order and one is even', () => {
    const { auroc, curve } = calibrate(scored([0.9, 0.6, 0.4], [0.5, 0.4, 0.1]));
    expect(auroc).toBeCloseTo(7.5 / 9, 12);
    expect(curve.map(({ threshold }) => threshold)).toEqual([0.1, 0.4, 0.5, 0.6, 0.9, expect.any(Number)]);
    expect(curve[0]).toEqual({ threshold: 0.1, falseRefusals: 0, falseAnswers: 1, f1: 6 / 9 });
    // 0.9 and 0.6 pass, 0.4 does not; 0.5 passes wrongly.
    expect(curve[2]).toEqual({ threshold: 0.5, falseRefusals: 1 / 3, falseAnswers: 1 / 3, f1: 4 / 6 });
    expect(curve.at(-1)).toMatchObject({ falseRefusals: 1, falseAnswers: 0, f1: 0 });
  });

  test('gives the least threshold with 5 % false answers, and the one with the greatest F1', () => {
    const without = Array.from({ length: 100 }, (_, index) => index / 1000);
    const { fivePercent, bestF1 } = calibrate(scored([0.09, 0.2, 0.3, 0.4], without));
    expect(fivePercent).toMatchObject({ threshold: 0.095, falseAnswers: 0.05, falseRefusals: 0.25 });
    expect(bestF1).toMatchObject({ threshold: 0.2, falseAnswers: 0, falseRefusals: 0.25 });
  });

  test('takes nothing found for less than any score, also than a negative one', () => {
    const { auroc, curve } = calibrate(scored([-0.2, 0.1], [undefined, undefined]));
    expect(auroc).toBe(1);
    expect(curve[0]).toMatchObject({ threshold: -0.2, falseRefusals: 0, falseAnswers: 0 });
  });

  test('tells rates of the threshold as it is written, not of the score that it was rounded from', () => {
    const { curve } = calibrate(scored([12.3456, 20], [1]));
    const [point] = curve.filter(({ threshold }) => threshold > 12 && threshold < 13);
    expect(point).toMatchObject({ threshold: 12.4, falseRefusals: 0.5 });
  });

  test('of scores that say nothing has an AUROC of one half', () => {
    expect(calibrate(scored([1, 2, 3], [1, 2, 3])).auroc).toBe(0.5);
  });

  test('needs questions of both kinds', () => {
    expect(() => calibrate(scored([1], []))).toThrow('of one kind are missing');
    expect(() => calibrate(scored([undefined], [undefined]))).toThrow('no question found anything');
  });
});

describe('takeHalfAway', () => {
  const question = (id: string, ...relevant: string[]) => ({
    id,
    text: id,
    judgements: new Map([['other', 0], ...relevant.map((passage) => [passage, 1] as const)]),
  });

  test('takes all that answers half of the questions, and nothing else', () => {
    const questions = Array.from({ length: 100 }, (_, index) => question(`q${index}`, `p${index}`, `r${index}`));
    const { passages, unanswerable } = takeHalfAway(questions);
    expect(unanswerable.size).toBe(50);
    expect(passages).toEqual(new Set([...unanswerable].flatMap((id) => [id.replace('q', 'p'), id.replace('q', 'r')])));
  });

  test('counts a question whose answers others have taken', () => {
    const questions = Array.from({ length: 60 }, (_, index) => question(`q${index}`, `p${index % 20}`));
    const { passages, unanswerable } = takeHalfAway(questions);
    expect([passages.size, unanswerable.size]).toEqual([10, 30]);
  });

  test('depends on the ids alone', () => {
    const questions = Array.from({ length: 30 }, (_, index) => question(`q${index}`, `p${index % 7}`));
    expect(takeHalfAway([...questions].reverse()).passages).toEqual(takeHalfAway(questions).passages);
  });
});
