import type { DocumentFormat } from '../documents/formats.js';
import { FAILURES } from '../errors/catalogue.js';
import type { DocumentStatus } from '../operator/events.js';
import type { DocumentOutcome } from '../operator/ingest.js';
import { printable } from '../operator/printable.js';
import { type Io, paint } from './io.js';

const STYLES = { new: 'green', updated: 'green', unchanged: 'dim', failed: 'red' } as const;

type Counts = Record<DocumentStatus, number>;

/** One line for a document, and one for each of its notes. */
export function formatOutcome({ status, chunks, path, notes }: DocumentOutcome, io: Io): string {
  const head = `${paint(io.stdout, STYLES[status], status.padEnd(9))}  ${String(chunks).padStart(4)} passages  ${path}\n`;
  return head + notes.map((note) => `           note: ${printable(note)}\n`).join('');
}

/** A document as a line of JSON; `error` is the first of its problems. */
export function formatEvent({ problems, notes, ...outcome }: DocumentOutcome): string {
  const [first] = problems;
  return `${JSON.stringify({
    event: 'document',
    ...outcome,
    ...(first ? { error: first.message } : {}),
    ...(problems.length > 0
      ? { problems: problems.map((one) => ({ ...one, remedy: one.remedy ?? FAILURES[one.code].remedy })) }
      : {}),
    ...(notes.length > 0 ? { notes } : {}),
  })}\n`;
}

/** The whole run as a line of JSON, by status and by format. */
export function formatDone(outcomes: readonly DocumentOutcome[]): string {
  return `${JSON.stringify({
    event: 'done',
    ...countsOf(outcomes),
    chunks: passagesOf(outcomes),
    formats: Object.fromEntries([...byFormat(outcomes)].map(([format, some]) => [format, countsOf(some)])),
  })}\n`;
}

/** The whole run as text: by status, and by format where there are several. */
export function summaryOf(outcomes: readonly DocumentOutcome[]): string {
  const formats = byFormat(outcomes);
  const lines = [
    `${documents(outcomes.length)}: ${describe(countsOf(outcomes), true)}; ${passagesOf(outcomes)} passages`,
  ];
  if (formats.size > 1) {
    for (const [format, some] of formats) lines.push(`  ${format}: ${describe(countsOf(some), false)}`);
  }
  return `${lines.join('\n')}\n`;
}

function byFormat(outcomes: readonly DocumentOutcome[]): ReadonlyMap<DocumentFormat, readonly DocumentOutcome[]> {
  const formats = new Map<DocumentFormat, DocumentOutcome[]>();
  for (const outcome of [...outcomes].sort((a, b) => (a.format < b.format ? -1 : 1))) {
    formats.set(outcome.format, [...(formats.get(outcome.format) ?? []), outcome]);
  }
  return formats;
}

function countsOf(outcomes: readonly DocumentOutcome[]): Counts {
  const counts: Counts = { new: 0, updated: 0, unchanged: 0, failed: 0 };
  for (const { status } of outcomes) counts[status] += 1;
  return counts;
}

const passagesOf = (outcomes: readonly DocumentOutcome[]): number =>
  outcomes.reduce((sum, { chunks }) => sum + chunks, 0);

const documents = (count: number): string => (count === 1 ? '1 document' : `${count} documents`);

const describe = (counts: Counts, withZeros: boolean): string =>
  Object.entries(counts)
    .filter(([, count]) => withZeros || count > 0)
    .map(([status, count]) => `${count} ${status}`)
    .join(', ');
