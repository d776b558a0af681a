import type { Passage } from './ports.js';
import { termsOf } from './retrieval/terms.js';

/**
 * From when on what was found counts as about the question. Neither number means the same for two models or two
 * collections: `ragdock calibrate` gives them for what a user has.
 */
export interface Gate {
  /** Least cosine between question and closest passage, -1 to 1. @default - any */
  readonly similarity?: number | undefined;
  /** Least support of the best passage that was found by words alone, from 0. @see supportOf @default - any, where no vectors were compared */
  readonly support?: number | undefined;
}

/**
 * Whether at least one passage is about the question: close to it, or, of a collection that is searched by words alone,
 * with enough support. What a fusion scored is never looked at: that is a function of ranks, and the best of what is
 * all beside the point has as high a rank as any.
 */
export function passesGate(question: string, passages: readonly Passage[], { similarity, support }: Gate): boolean {
  const byWords = passages.filter((one) => !one.isFused && one.similarity === undefined);
  if (byWords.length < passages.length) {
    const closest = closestOf(passages);
    if (similarity === undefined || (closest !== undefined && closest >= similarity)) return true;
  } else if (support === undefined) {
    return true;
  }
  const best = bestSupportOf(question, byWords);
  return support !== undefined && best !== undefined && best >= support;
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
