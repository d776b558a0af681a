/** A limit of the RAG API: a whole number, from `least` to `most`, `usual` where none is given. */
export interface ApiLimit {
  readonly least: number;
  readonly most: number;
  readonly usual: number;
  readonly meaning: string;
}

/** What one question may cost. Environment files and `ragdock up` take the same limits under the same names. */
export const API_LIMITS = {
  messageCharacters: { least: 1, most: 100_000, usual: 4000, meaning: 'Longest question, in characters' },
  concurrentStreams: { least: 1, most: 10_000, usual: 8, meaning: 'Answers streamed at once; more get 503' },
  firstTokenSeconds: { least: 1, most: 3600, usual: 60, meaning: 'Longest wait for the first token' },
  idleSeconds: { least: 1, most: 3600, usual: 60, meaning: 'Longest silence inside a stream' },
  totalSeconds: { least: 1, most: 7200, usual: 300, meaning: 'Longest answer, from the question to its end' },
} as const satisfies Record<string, ApiLimit>;
