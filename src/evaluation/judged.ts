import type { Judgements } from './measures.js';

/** A text that questions may find. */
export interface JudgedPassage {
  readonly id: string;
  /** Empty when it has none. */
  readonly title: string;
  readonly text: string;
}

/** A question as it is asked. */
export interface AskedQuestion {
  readonly id: string;
  readonly text: string;
}

/** A question of which is known what answers it. */
export interface JudgedQuestion extends AskedQuestion {
  /** At least one of them is above 0. */
  readonly judgements: Judgements;
}

/** What one question found. */
export interface Found {
  /** Ids of passages, best first, each once. */
  readonly ranking: readonly string[];
  /** Greatest cosine among those that a prompt would get. @default - no vectors were compared */
  readonly similarity?: number | undefined;
  /** Greatest support by words among those that a prompt would get by words alone. @default - nothing was found */
  readonly support?: number | undefined;
}

/** What is known of the passages while questions are asked. */
export interface Searched {
  /** What found them. */
  readonly by: 'words' | 'words and vectors';
  /** By the ids of the questions. */
  readonly found: ReadonlyMap<string, Found>;
}

/** Where passages are searched: in this process, or in Qdrant. */
export interface Searcher {
  /**
   * Takes the passages, asks every question once, and forgets everything again.
   *
   * @param tell told how many passages were taken, and how many questions answered, so far
   */
  search(input: SearchInput, tell: (progress: SearchProgress) => void): Promise<Searched>;
}

export interface SearchInput {
  readonly passages: AsyncIterable<JudgedPassage>;
  readonly passageCount: number;
  /** Read when the passages are at their end. */
  readonly questions: AsyncIterable<AskedQuestion> | Iterable<AskedQuestion>;
  readonly questionCount: number;
}

export interface SearchProgress {
  readonly passages: number;
  readonly questions: number;
}

/**
 * How many passages of a ranking are kept. Deeper ranks would change the mean reciprocal rank by less than a hundredth
 * of the share of questions that have nothing above.
 */
export const DEPTH = 100;
