import { z } from 'zod';
import type { ParsedDocument, Section } from '../rag/ingest/sections.js';

const Text = z.string().refine((text) => text.trim() !== '', 'is empty');

/** One line. Further fields are left alone. */
const Pair = z.looseObject({ question: Text, answer: Text });

/** A line that is no pair, from 1 on. */
export interface BadLine {
  readonly line: number;
  readonly message: string;
}

/** Lines of `{"question": "…", "answer": "…"}`, each a part that stands for itself under its question. */
export function parsePairs(content: string, title: string): { parsed: ParsedDocument; badLines: readonly BadLine[] } {
  const children: Section[] = [];
  const badLines: BadLine[] = [];
  for (const [index, line] of content.split('\n').entries()) {
    if (line.trim() === '') continue;
    const pair = parsePair(line);
    if (typeof pair === 'string') badLines.push({ line: index + 1, message: pair });
    else children.push(pair);
  }
  const root = { heading: '', headingLine: '', blocks: [], children };
  return { parsed: { title, root, apart: true }, badLines };
}

/** A pair as a section, or what is wrong with the line. */
function parsePair(line: string): Section | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return `is not JSON: ${(error as Error).message.slice(0, 200)}`;
  }
  const result = Pair.safeParse(value);
  if (!result.success) {
    const faults = result.error.issues.map(({ path, message }) => [path.join('.'), message].join(' ').trim());
    return `expected {"question": "…", "answer": "…"}: ${faults.join('; ')}`;
  }
  const { question, answer } = result.data;
  const blocks = answer
    .split(/\n[ \t]*\n/)
    .map((block) => block.trim())
    .filter((block) => block !== '');
  return { heading: question.replace(/\s+/g, ' ').trim(), headingLine: '', blocks, children: [] };
}
