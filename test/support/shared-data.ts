import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './environments.js';

/** A collection of texts with questions, and for each question the texts that answer it. */
export interface JudgedCollection {
  readonly texts: readonly { readonly id: string; readonly title: string; readonly text: string }[];
  readonly questions: readonly { readonly id: string; readonly text: string; readonly relevant: ReadonlySet<string> }[];
}

interface Line {
  readonly _id: string;
  readonly title?: string;
  readonly text: string;
}

/** Where a collection of the data that developers share is; it is no part of the project, and may be missing. */
export function sharedData(name: string): string {
  return join(ROOT, '../shared/data', name);
}

export function hasSharedData(name: string): boolean {
  return existsSync(join(sharedData(name), 'corpus.jsonl'));
}

/** Reads a collection in the layout of BEIR. Judgements above 0 count as relevant. */
export function readJudged(name: string): JudgedCollection {
  const read = (file: string) =>
    readFileSync(join(sharedData(name), file), 'utf8')
      .trimEnd()
      .split('\n');
  const relevant = new Map<string, Set<string>>();
  for (const line of read('qrels.tsv').slice(1)) {
    const [question = '', text = '', judgement] = line.split('\t');
    if (Number(judgement) > 0) relevant.set(question, (relevant.get(question) ?? new Set()).add(text));
  }
  const lines = (file: string) => read(file).map((line) => JSON.parse(line) as Line);
  return {
    texts: lines('corpus.jsonl').map(({ _id, title = '', text }) => ({ id: _id, title, text })),
    questions: lines('queries.jsonl').flatMap(({ _id, text }) => {
      const judged = relevant.get(_id);
      return judged ? [{ id: _id, text, relevant: judged }] : [];
    }),
  };
}
