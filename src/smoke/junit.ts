import type { NotAsked, ReportedCheck, SmokeReport } from './report.js';

/** Name of the suite of what was left out. */
const NOT_ASKED = 'not asked';

/** The report as JUnit XML, as CI systems read it: one suite for each service, and one for what was not asked. */
export function formatJunit(report: SmokeReport): string {
  const services = [...new Set(report.checks.map(({ service }) => service))];
  const { counts, environment, startedAt, seconds, notAsked = [] } = report;
  const totals = totalsOf(report.checks, notAsked.length);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name=${quote(`ragdock smoke ${environment}`)} ${totals} time="${seconds.toFixed(3)}">`,
    ...services.flatMap((service) => {
      const checks = report.checks.filter((check) => check.service === service);
      const time = checks.reduce((sum, check) => sum + check.seconds, 0);
      return [
        `  <testsuite name=${quote(service)} ${totalsOf(checks)} timestamp=${quote(startedAt)} time="${time.toFixed(3)}">`,
        ...checks.flatMap((check) => formatCase(check, report.doctor)),
        '  </testsuite>',
      ];
    }),
    ...formatNotAsked(notAsked, startedAt),
    '</testsuites>',
    `<!-- ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, ${notAsked.length} not asked -->`,
    '',
  ].join('\n');
}

/** A skipped case each: no failure, and seen by whoever reads the list. */
function formatNotAsked(notAsked: readonly NotAsked[], startedAt: string): string[] {
  if (notAsked.length === 0) return [];
  const totals = totalsOf([], notAsked.length);
  return [
    `  <testsuite name=${quote(NOT_ASKED)} ${totals} timestamp=${quote(startedAt)} time="0.000">`,
    ...notAsked.flatMap(({ what, why }) => [
      `    <testcase classname=${quote(NOT_ASKED)} name=${quote(what)} time="0.000">`,
      `      <skipped message=${quote(why)}/>`,
      '    </testcase>',
    ]),
    '  </testsuite>',
  ];
}

function formatCase(check: ReportedCheck, helpless: string | undefined): string[] {
  const { service, level, outcome, seconds, came = '' } = check;
  const head = `    <testcase classname=${quote(`${service}.${level}`)} name=${quote(check.check)} time="${seconds.toFixed(3)}"`;
  if (outcome === 'passed') return [`${head}/>`];
  if (outcome === 'skipped') return [`${head}>`, `      <skipped message=${quote(came)}/>`, '    </testcase>'];
  return [
    `${head}>`,
    `      <failure message=${quote(came)}>${escapeXml(detailOf(check, helpless))}</failure>`,
    ...(check.logs ? [`      <system-out>${escapeXml(check.logs.join('\n'))}</system-out>`] : []),
    '    </testcase>',
  ];
}

function detailOf(
  { asked, expected, came, because = [], diagnosis }: ReportedCheck,
  helpless: string | undefined,
): string {
  return [
    `asked: ${asked ?? ''}`,
    `expected: ${expected ?? ''}`,
    `came: ${came ?? ''}`,
    ...(because.length > 0 ? [`probably because of: ${because.join(', ')}`] : []),
    ...(diagnosis ? [`doctor: ${diagnosis.id}: ${diagnosis.meaning}`, `do: ${diagnosis.remedy}`] : []),
    ...(helpless === undefined ? [] : [`the doctor could not look: ${helpless}`]),
  ].join('\n');
}

/** @param notAsked number of cases beside the checks, all of them skipped. @default 0 */
function totalsOf(checks: readonly ReportedCheck[], notAsked = 0): string {
  const count = (outcome: ReportedCheck['outcome']) => checks.filter((check) => check.outcome === outcome).length;
  return `tests="${checks.length + notAsked}" failures="${count('failed')}" skipped="${count('skipped') + notAsked}" errors="0"`;
}

const quote = (text: string): string => `"${escapeXml(text).replaceAll('\n', '&#10;')}"`;

/** XML 1.0 has no place for most control characters, not even escaped. */
function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
}
