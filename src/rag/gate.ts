import type { Passage } from './ports.js';
import { termsOf } from './retrieval/terms.js';

/**
 * From when on what was found counts as about the question. Neither number means the same for two models or two
 * collections: `ragdock calibrate` gives them for what a user has.
 */
export interface Gate {
  /** Least cosine between question and closest passage, -1 to 1. @default - any */
  readonly similarity?: number | undefined;
  /** Least support by words of the best passage, from 0. @see supportOf @default - any */
  readonly support?: number | undefined;
}

/**
 * Whether at least one passage is about the question. What a fusion scored is never looked at: that is a function of
 * ranks, and the best of what is all beside the point has as high a rank as any.
 */
export function passesGate(question: string, passages: readonly Passage[], { similarity, support }: Gate): boolean {
  const closest = closestOf(passages);
  if (closest !== undefined) return similarity === undefined || closest >= similarity;
  if (support === undefined) return true;
  const best = bestSupportOf(question, passages);
  return best !== undefined && best >= support;
}

/** The greatest cosine among passages; undefined where no vectors were compared. */
export function closestOf(passages: readonly Passage[]): number | undefined {
  return greatest(passages.flatMap(({ similarity }) => similarity ?? []));
}

/** The greatest support among passages; undefined where there are none. */
export function bestSupportOf(question: string, passages: readonly Passage[]): number | undefined {
  return greatest(passages.map((passage) => supportOf(question, passage)));
}

const greatest = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : Math.max(...values);

/**
 * How much a passage that was found by BM25 alone has to do with a question: its score, times the share of the
 * question's terms that it holds. A score alone grows with every word of a question, be it as common as it may; on
 * XQuAD-ru with half of its answers taken away, `ragdock calibrate` gives the product an AUROC of 0.94.
 */
export function supportOf(question: string, { score, title, heading, text }: Passage): number {
  const asked = new Set(termsOf(question));
  if (asked.size === 0) return 0;
  const held = new Set(termsOf(`${title} ${heading} ${text}`));
  return (score * [...asked].filter((term) => held.has(term)).length) / asked.size;
}
