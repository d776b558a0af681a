import type { Finding } from '../../../src/doctor/finding.js';
import type { Project } from '../../deploy/support/project.js';

export interface DoctorOutcome {
  readonly code: number | null;
  /** The likeliest cause first. */
  readonly findings: readonly Pick<Finding, 'id' | 'service'>[];
  readonly text: string;
}

/** Ask the doctor as a user does. */
export async function doctor(project: Project): Promise<DoctorOutcome> {
  const { code, stdout, stderr } = await project.tryRagdock('doctor', project.environment, '--json');
  const text = stdout + stderr;
  try {
    return { code, findings: JSON.parse(stdout).findings, text };
  } catch (cause) {
    throw new Error(`the doctor wrote no findings: ${text}`, { cause });
  }
}
