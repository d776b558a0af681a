import { statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { RagdockError } from '../errors/problem.js';
import { Faults } from './faults.js';
import type { JudgedPassage, JudgedQuestion } from './judged.js';
import { linesOf } from './lines.js';
import { PassageRecord, parseJudgement, parseRecord, QuestionRecord } from './records.js';

const CORPUS = 'corpus.jsonl';
const QUERIES = 'queries.jsonl';

/** Judgements are beside the others, or where BEIR puts those for tests. */
const QRELS = ['qrels.tsv', 'qrels/test.tsv'] as const;

/** A folder with passages, questions, and judgements of what answers what. The passages stay in their file. */
export interface JudgedFolder {
  /** Questions with something relevant, in the order of their file. */
  readonly questions: readonly JudgedQuestion[];
  /** Questions for which nothing was judged relevant; they cannot be measured. */
  readonly skipped: number;
  /** Ids of all passages. */
  readonly ids: ReadonlySet<string>;
  /** What is odd and hinders nothing, for a reader. */
  readonly notices: readonly string[];
  /** The passages but for those with these ids, read anew each time. */
  passages(without?: ReadonlySet<string>): AsyncGenerator<JudgedPassage>;
}

/**
 * Reads a set in the layout of BEIR: corpus.jsonl, queries.jsonl and qrels.tsv. All of it is checked before anything is
 * done with it.
 *
 * @throws RagdockError JUDGED_SET_INVALID with every fault, its file and its line; FILE_UNREADABLE
 */
export async function readJudgedFolder(path: string, cwd: string): Promise<JudgedFolder> {
  const folder = resolve(cwd, path);
  const shown = (file: string) => relative(cwd, join(folder, file)).split(sep).join('/') || file;
  const faults = new Faults();
  const qrels = QRELS.find((name) => isFile(join(folder, name))) ?? QRELS[0];

  const judged = await reading(faults, shown(qrels), () => readJudgements(join(folder, qrels), shown(qrels), faults));
  const asked = await reading(faults, shown(QUERIES), () =>
    readQuestions(join(folder, QUERIES), shown(QUERIES), faults),
  );
  const ids = await reading(faults, shown(CORPUS), () => readIds(join(folder, CORPUS), shown(CORPUS), faults));
  faults.throw();

  const judgements = judged ?? new Map<string, Map<string, Judged>>();
  const questions = [...(asked ?? [])].flatMap(([id, text]): JudgedQuestion[] => {
    const grades = new Map([...(judgements.get(id) ?? [])].map(([passage, { grade }]) => [passage, grade]));
    return [...grades.values()].some((grade) => grade > 0) ? [{ id, text, judgements: grades }] : [];
  });
  const reachable = questions.some((question) => relevantOf(question).some((id) => ids?.has(id)));
  if (!reachable) {
    faults.add(shown(qrels), undefined, `names no passage of ${CORPUS} as relevant for a question of ${QUERIES}`);
    faults.throw();
  }
  return {
    questions,
    skipped: (asked?.size ?? 0) - questions.length,
    ids: ids ?? new Set(),
    notices: [
      ...unknownIn(
        judgements,
        (_passage, question) => !asked?.has(question),
        shown(qrels),
        `no question of ${QUERIES}`,
      ),
      ...unknownIn(
        judgements,
        (passage) => !ids?.has(passage),
        shown(qrels),
        `no passage of ${CORPUS}; it counts as not found`,
      ),
    ],
    passages: (without) => readPassages(join(folder, CORPUS), shown(CORPUS), without),
  };
}

/** Ids of the passages that answer a question. */
export function relevantOf({ judgements }: JudgedQuestion): readonly string[] {
  return [...judgements].flatMap(([id, grade]) => (grade > 0 ? [id] : []));
}

interface Judged {
  readonly grade: number;
  readonly line: number;
}

async function readJudgements(file: string, shown: string, faults: Faults): Promise<Map<string, Map<string, Judged>>> {
  const judgements = new Map<string, Map<string, Judged>>();
  let isFirst = true;
  for await (const { number, text } of linesOf(file)) {
    const parsed = parseJudgement(text, isFirst);
    isFirst = false;
    if (!parsed) continue;
    if ('fault' in parsed) {
      faults.add(shown, number, parsed.fault);
      continue;
    }
    const { question, passage, grade } = parsed.record;
    const ofQuestion = judgements.get(question) ?? new Map<string, Judged>();
    judgements.set(question, ofQuestion);
    const before = ofQuestion.get(passage);
    if (before && before.grade !== grade) {
      faults.add(
        shown,
        number,
        `judges passage ${passage} for question ${question} otherwise than line ${before.line}`,
      );
    }
    ofQuestion.set(passage, { grade, line: number });
  }
  if (judgements.size === 0) faults.add(shown, undefined, 'holds no judgement');
  return judgements;
}

async function readQuestions(file: string, shown: string, faults: Faults): Promise<Map<string, string>> {
  const questions = new Map<string, string>();
  for await (const { number, text } of linesOf(file)) {
    const parsed = parseRecord(QuestionRecord, text);
    if ('fault' in parsed) faults.add(shown, number, parsed.fault);
    else if (questions.has(parsed.record._id)) faults.add(shown, number, `has the id ${parsed.record._id} once more`);
    else questions.set(parsed.record._id, parsed.record.text);
  }
  if (questions.size === 0) faults.add(shown, undefined, 'holds no question');
  return questions;
}

async function readIds(file: string, shown: string, faults: Faults): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { number, text } of linesOf(file)) {
    const parsed = parseRecord(PassageRecord, text);
    if ('fault' in parsed) faults.add(shown, number, parsed.fault);
    else if (ids.has(parsed.record._id)) faults.add(shown, number, `has the id ${parsed.record._id} once more`);
    else ids.add(parsed.record._id);
  }
  if (ids.size === 0) faults.add(shown, undefined, 'holds no passage');
  return ids;
}

async function* readPassages(
  file: string,
  shown: string,
  without: ReadonlySet<string> = new Set(),
): AsyncGenerator<JudgedPassage> {
  for await (const { number, text } of linesOf(file)) {
    const parsed = parseRecord(PassageRecord, text);
    if ('fault' in parsed) {
      throw new RagdockError({ code: 'JUDGED_SET_INVALID', file: shown, line: number, message: parsed.fault });
    }
    const { _id: id, title, text: body } = parsed.record;
    if (!without.has(id)) yield { id, title, text: body };
  }
}

/** A file that cannot be read is one fault; the others are looked into all the same. */
async function reading<T>(faults: Faults, shown: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    faults.addUnreadable(shown, error);
    return undefined;
  }
}

function unknownIn(
  judgements: ReadonlyMap<string, ReadonlyMap<string, Judged>>,
  isUnknown: (passage: string, question: string) => boolean,
  shown: string,
  what: string,
): readonly string[] {
  const unknown = [...judgements].flatMap(([question, ofQuestion]) =>
    [...ofQuestion].filter(([passage]) => isUnknown(passage, question)),
  );
  const [first] = unknown;
  if (!first) return [];
  const lines = unknown.length === 1 ? '1 line names' : `${unknown.length} lines name`;
  return [`${shown}:${first[1].line}: ${lines} ${what}`];
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
