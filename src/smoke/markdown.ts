import { printable } from '../operator/printable.js';
import type { ReportedCheck, SmokeReport } from './report.js';

const WORDS = { passed: 'ok', failed: '**failed**', skipped: 'skipped' } as const;

/** The report as GitHub's Markdown: for the summary of a job, or a comment on a pull request. */
export function formatMarkdown(report: SmokeReport): string {
  const { environment, level, ok, counts, seconds, checks, notAsked = [], doctor } = report;
  const failed = checks.filter(({ outcome }) => outcome === 'failed');
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  return [
    `## ragdock smoke ${environment}: ${ok ? 'answers' : 'does not answer as it should'}`,
    '',
    `${counts.passed} checks passed, ${counts.failed} failed${skipped}, in ${seconds.toFixed(1)} s (level \`${level}\`).`,
    '',
    ...failed.flatMap((check, index) => formatFailure(check, !failed.slice(0, index).some(isOf(check.service)))),
    ...notAsked.flatMap(({ what, why }) => [`Not asked: ${text(what)}: ${text(why)}.`, '']),
    ...(doctor === undefined ? [] : [`The doctor could not look: ${code(doctor)}`, '']),
    '<details>',
    '<summary>All checks</summary>',
    '',
    '| | Service | Check | Level | Seconds |',
    '|---|---|---|---|---:|',
    ...checks.map(
      (check) =>
        `| ${WORDS[check.outcome]} | ${cell(check.service)} | ${cell(check.check)} | ${check.level} | ${check.seconds.toFixed(1)} |`,
    ),
    '',
    '</details>',
    '',
  ].join('\n');
}

/** @param first whether no failure of the same service came before: log and diagnosis are of the service */
function formatFailure(check: ReportedCheck, first: boolean): string[] {
  const { service, because = [], asked, expected, came, logs = [], diagnosis } = check;
  const row = (name: string, value: string | undefined) =>
    value === undefined ? [] : [`| ${name} | ${cell(value)} |`];
  return [
    `### ${service}: ${text(check.check)}`,
    '',
    ...(because.length > 0 ? [`Probably because of ${because.join(', ')}.`, ''] : []),
    '| | |',
    '|---|---|',
    ...row('asked', asked),
    ...row('expected', expected),
    ...row('came', came),
    '',
    ...(diagnosis && first
      ? [`Doctor: **${diagnosis.id}**. ${text(diagnosis.meaning)}`, '', `Do: ${text(diagnosis.remedy)}`, '']
      : []),
    ...(logs.length > 0 && first
      ? ['<details>', `<summary>Log of ${service}</summary>`, '', ...fence(logs.map(printable)), '', '</details>', '']
      : []),
  ];
}

const isOf =
  (service: string) =>
  (check: ReportedCheck): boolean =>
    check.service === service;

/** What came from outside as a code span in a table: nothing in it is a link, a mention or HTML. */
const cell = (value: string): string => code(value).replaceAll('|', '\\|');

/** A code span; its fence is longer than any in it. */
function code(value: string): string {
  const line = printable(value).replace(/\s+/g, ' ').trim();
  if (line === '') return '';
  const ticks = '`'.repeat(longestFence(line) + 1);
  return line.startsWith('`') || line.endsWith('`') ? `${ticks} ${line} ${ticks}` : `${ticks}${line}${ticks}`;
}

function fence(lines: readonly string[]): string[] {
  const ticks = '`'.repeat(Math.max(3, longestFence(lines.join('\n')) + 1));
  return [`${ticks}text`, ...lines, ticks];
}

const longestFence = (value: string): number => Math.max(0, ...[...value.matchAll(/`+/g)].map(([run]) => run.length));

/** Text with code in backticks; outside of them nothing is HTML, a link or a mention. */
function text(value: string): string {
  return printable(value)
    .replace(/\s+/g, ' ')
    .split(/(`[^`]*`)/)
    .map((part) =>
      part.startsWith('`') && part.endsWith('`') && part.length > 1
        ? part
        : part
            .replaceAll('&', '&amp;')
            .replaceAll('<', '&lt;')
            .replace(/[\\[\]*_`~]/g, '\\$&')
            .replaceAll('@', '&#64;'),
    )
    .join('');
}
