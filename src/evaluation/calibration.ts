/** What a gate would look at for one question. */
export interface Scored {
  /** Undefined when nothing was found; no threshold lets that pass. */
  readonly score: number | undefined;
  readonly answerable: boolean;
}

/** What a threshold does. Rates are from 0 to 1. */
export interface Point {
  readonly threshold: number;
  /** Share of the questions with an answer that are refused. */
  readonly falseRefusals: number;
  /** Share of the questions without an answer that are let pass. */
  readonly falseAnswers: number;
  /** Of letting pass what can be answered: the harmonic mean of precision and recall. */
  readonly f1: number;
}

export interface Calibration {
  /** Probability that a question with an answer scores more than one without, 0.5 to 1 for a score that says anything. */
  readonly auroc: number;
  /** By rising threshold. */
  readonly curve: readonly Point[];
  /** The least threshold that lets 5 % of the questions without an answer pass at most. */
  readonly fivePercent: Point;
  /** The threshold with the greatest F1; the least of several. */
  readonly bestF1: Point;
}

const FALSE_ANSWERS = 0.05;

/** Significant digits of a threshold; more would promise what another sample of questions does not keep. */
const DIGITS = 3;

/** Throws unless there are questions of both kinds. */
export function calibrate(scored: readonly Scored[]): Calibration {
  const withAnswer = ranked(scored.filter(({ answerable }) => answerable));
  const without = ranked(scored.filter(({ answerable }) => !answerable));
  if (withAnswer.length === 0 || without.length === 0) throw new Error('questions of one kind are missing');
  const curve = thresholdsOf([...withAnswer, ...without]).map((threshold) => pointAt(threshold, withAnswer, without));
  const [first] = curve;
  if (!first) throw new Error('no question found anything');
  return {
    auroc: auroc(withAnswer, without),
    curve,
    fivePercent: curve.find(({ falseAnswers }) => falseAnswers <= FALSE_ANSWERS) ?? first,
    bestF1: curve.reduce((best, point) => (point.f1 > best.f1 ? point : best), first),
  };
}

/** Scores from the least on; nothing found is less than all. */
function ranked(scored: readonly Scored[]): readonly number[] {
  return scored.map(({ score }) => score ?? Number.NEGATIVE_INFINITY).sort((a, b) => a - b);
}

/** By the ranks of Mann and Whitney; equal scores count half. */
function auroc(withAnswer: readonly number[], without: readonly number[]): number {
  const wins = withAnswer.reduce((sum, score) => {
    const below = countBelow(without, score);
    const equal = countBelow(without, score, true) - below;
    return sum + below + equal / 2;
  }, 0);
  return wins / (withAnswer.length * without.length);
}

/** Every score as a threshold that can be written down, and one above all of them. */
function thresholdsOf(scores: readonly number[]): readonly number[] {
  const finite = scores.filter(Number.isFinite);
  if (finite.length === 0) return [];
  const rounded = finite.map((score) => roundedUp(score));
  const greatest = rounded.reduce((most, one) => Math.max(most, one));
  return [...new Set([...rounded, roundedUp(greatest + 10 ** -DIGITS + Math.abs(greatest) * 10 ** (1 - DIGITS))])].sort(
    (a, b) => a - b,
  );
}

function roundedUp(score: number): number {
  if (score === 0) return 0;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(score))) + 1 - DIGITS);
  return Number((Math.ceil(score / step - 1e-9) * step).toPrecision(DIGITS));
}

function pointAt(threshold: number, withAnswer: readonly number[], without: readonly number[]): Point {
  const refused = countBelow(withAnswer, threshold);
  const answered = withAnswer.length - refused;
  const wrong = without.length - countBelow(without, threshold);
  return {
    threshold,
    falseRefusals: refused / withAnswer.length,
    falseAnswers: wrong / without.length,
    f1: (2 * answered) / (2 * answered + wrong + refused),
  };
}

/** How many of the sorted scores are below a value, or equal to it as well. */
function countBelow(sorted: readonly number[], value: number, orEqual = false): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const score = sorted[middle] ?? 0;
    if (score < value || (orEqual && score === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}
