import { z } from 'zod';

const Id = z.union([z.string().min(1), z.number()]).transform(String);

/** A line of corpus.jsonl. Other fields, such as BEIR's `metadata`, are passed over. */
export const PassageRecord = z.looseObject({
  _id: Id,
  title: z
    .string()
    .nullish()
    .transform((title) => title ?? ''),
  text: z.string(),
});

/** A line of queries.jsonl. */
export const QuestionRecord = z.looseObject({ _id: Id, text: z.string() });

/** A line as a record of a kind, or what is wrong with it. */
export function parseRecord<Schema extends z.ZodType>(
  schema: Schema,
  text: string | undefined,
): { readonly record: z.output<Schema> } | { readonly fault: string } {
  if (text === undefined) return { fault: 'the line is not UTF-8 text' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { fault: `the line is no JSON: ${(error as Error).message}` };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { record: parsed.data };
  const faults = parsed.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
  return { fault: faults.join('; ') };
}

/** One judgement of qrels.tsv. */
export interface JudgementRecord {
  readonly question: string;
  readonly passage: string;
  readonly grade: number;
}

/**
 * A line of qrels.tsv: question, passage and grade, with tabs between them, or TREC's four columns with any space. The
 * first line may be a header instead: it has no number where the grade is.
 */
export function parseJudgement(
  text: string | undefined,
  isFirst: boolean,
): { readonly record: JudgementRecord } | { readonly fault: string } | undefined {
  if (text === undefined) return { fault: 'the line is not UTF-8 text' };
  const byTab = text.split('\t').map((cell) => cell.trim());
  const cells = byTab.length === 1 ? text.trim().split(/\s+/) : byTab;
  if (cells.length !== 3 && cells.length !== 4) {
    return isFirst && cells.every((cell) => !isNumber(cell))
      ? undefined
      : { fault: `expected 3 columns, got ${cells.length}` };
  }
  const [question = '', passage = '', grade = ''] = cells.length === 3 ? cells : [cells[0], cells[2], cells[3]];
  if (!isNumber(grade)) {
    return isFirst ? undefined : { fault: `expected a number as the grade, got ${JSON.stringify(grade)}` };
  }
  if (question === '' || passage === '') return { fault: 'the question or the passage has no id' };
  return { record: { question, passage, grade: Number(grade) } };
}

const isNumber = (cell: string): boolean => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell);
