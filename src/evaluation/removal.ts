import { hashOf } from '../rag/ingest/identity.js';
import type { JudgedQuestion } from './judged.js';

/** A set of which a part is taken away. */
export interface Removal {
  /** Ids of the passages that are taken away. */
  readonly passages: ReadonlySet<string>;
  /** Ids of the questions that nothing answers any more. */
  readonly unanswerable: ReadonlySet<string>;
}

/**
 * Takes away all that answers some questions, until half of all questions have no answer: as many questions of which is
 * known that the corpus says nothing of them, asked by the same people about the same subjects. Which ones depends on
 * the ids alone, not on their order.
 */
export function takeHalfAway(questions: readonly JudgedQuestion[]): Removal {
  const passages = new Set<string>();
  const open = new Map<string, Set<string>>();
  const asking = new Map<string, string[]>();
  for (const { id, judgements } of questions) {
    const relevant = [...judgements].flatMap(([passage, grade]) => (grade > 0 ? [passage] : []));
    open.set(id, new Set(relevant));
    for (const passage of relevant) asking.set(passage, [...(asking.get(passage) ?? []), id]);
  }
  const unanswerable = new Set<string>();
  for (const id of shuffled(questions.map((question) => question.id))) {
    if (unanswerable.size * 2 >= questions.length) break;
    for (const passage of open.get(id) ?? []) {
      passages.add(passage);
      for (const other of asking.get(passage) ?? []) {
        const left = open.get(other);
        left?.delete(passage);
        if (left?.size === 0) unanswerable.add(other);
      }
    }
  }
  return { passages, unanswerable };
}

/** The same order for the same ids. */
function shuffled(ids: readonly string[]): readonly string[] {
  return ids
    .map((id) => [hashOf('half', id), id] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, id]) => id);
}
