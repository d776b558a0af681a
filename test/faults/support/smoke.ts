import type { ReportedCheck, SmokeReport } from '../../../src/smoke/report.js';
import type { Project } from '../../deploy/support/project.js';

export interface SmokeOutcome {
  readonly code: number | null;
  readonly report: SmokeReport;
  /** Failures that no other failure explains. */
  readonly roots: readonly ReportedCheck[];
  /** What a person would have read. */
  readonly text: string;
}

/** Run the smoke tests as a user does. @param seconds their `--timeout` */
export async function smoke(project: Project, seconds: number): Promise<SmokeOutcome> {
  const { code, stdout, stderr } = await project.tryRagdock(
    ...['smoke', project.environment, '--timeout', String(seconds), '--json', '-'],
  );
  const report = reportIn(stdout, stderr);
  const failed = report.checks.filter(({ outcome }) => outcome === 'failed');
  return { code, report, roots: failed.filter(({ because = [] }) => because.length === 0), text: stderr };
}

function reportIn(stdout: string, stderr: string): SmokeReport {
  try {
    return JSON.parse(stdout) as SmokeReport;
  } catch (cause) {
    throw new Error(`smoke wrote no report: ${stdout}${stderr}`, { cause });
  }
}
