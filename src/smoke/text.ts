import type { CheckResult } from '../apps/operator/smoke/protocol.js';
import { printable } from '../operator/printable.js';
import type { ReportedCheck, SmokeReport } from './report.js';

/** Colours a text, or leaves it as it is. */
export type Paint = (style: 'red' | 'green' | 'yellow' | 'bold' | 'dim', text: string) => string;

const WORDS = { passed: 'ok', failed: 'FAILED', skipped: 'skipped' } as const;
const STYLES = { passed: 'green', failed: 'red', skipped: 'yellow' } as const;

/** One check on one line, as it comes. */
export function formatCheck({ outcome, service, check, seconds, came }: CheckResult, paint: Paint): string {
  const word = paint(STYLES[outcome], WORDS[outcome].padEnd(7));
  const rest = outcome === 'passed' ? paint('dim', `${seconds.toFixed(1)} s`) : printable(came ?? '');
  return `${word}  ${service.padEnd(18)}  ${check.padEnd(34)}  ${rest.replaceAll('\n', ' ')}`.trimEnd();
}

/** Every failed check with all that is known of it, causes first, and the count. */
export function formatSummary(report: SmokeReport, paint: Paint): string {
  const failed = report.checks.filter(({ outcome }) => outcome === 'failed');
  const { counts, environment, seconds } = report;
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  const verdict = report.ok ? paint('green', 'answers') : paint('red', 'does not answer as it should');
  return [
    ...failed.flatMap((check, index) => [...formatFailure(check, shownBefore(failed, index), paint), '']),
    ...(report.notAsked ?? []).flatMap(({ what, why }) => [
      `${paint('yellow', `not asked: ${what}`)}: ${printable(why)}`,
      '',
    ]),
    ...(report.doctor === undefined ? [] : [`the doctor could not look: ${printable(report.doctor)}`, '']),
    `${environment} ${verdict}: ${counts.passed} checks passed, ${counts.failed} failed${skipped}, in ${seconds.toFixed(1)} s`,
    '',
  ].join('\n');
}

/** What failed, in one sentence: causes by name, consequences by service. */
export function describeFailure({ checks }: SmokeReport): string {
  const failed = checks.filter(({ outcome }) => outcome === 'failed');
  const roots = failed.filter(({ because = [] }) => because.length === 0);
  const causes = roots.map(({ service, check }) => `${service} (${check})`).join(', ');
  const others = new Set(failed.filter((check) => !roots.includes(check)).map(({ service }) => service));
  for (const { service } of roots) others.delete(service);
  if (failed.length === 0) return 'not every check was run';
  const count = failed.length === 1 ? '1 check failed' : `${failed.length} checks failed`;
  return `${count}: ${causes}${others.size === 0 ? '' : `; with it: ${[...others].join(', ')}`}`;
}

function formatFailure(check: ReportedCheck, shown: boolean, paint: Paint): string[] {
  const { service, because = [], asked, expected, came, logs, diagnosis } = check;
  const cause = because.length > 0 ? paint('dim', `  (probably because of ${because.join(', ')})`) : '';
  const field = (name: string, value: string | undefined) =>
    value === undefined ? [] : [`    ${name.padEnd(8)}  ${printable(value).replaceAll('\n', `\n${' '.repeat(14)}`)}`];
  return [
    `${paint('bold', `${service}: ${check.check}`)}${cause}`,
    ...field('asked', asked),
    ...field('expected', expected),
    ...field('came', came),
    ...(logs && logs.length > 0 && !shown ? field('log', logs.join('\n')) : []),
    ...(diagnosis && !shown ? field('doctor', `${diagnosis.id}: ${diagnosis.meaning}\n→ ${diagnosis.remedy}`) : []),
  ];
}

/** Whether log and diagnosis of this check's service were shown with an earlier one. */
function shownBefore(failed: readonly ReportedCheck[], index: number): boolean {
  return failed.slice(0, index).some(({ service }) => service === failed[index]?.service);
}
