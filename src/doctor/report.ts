import { z } from 'zod';
import { FINDING_IDS } from './catalogue/index.js';
import type { Evidence } from './evidence.js';
import type { Finding } from './finding.js';

const ReportedFinding = z.strictObject({
  id: z.enum(FINDING_IDS).describe('Kind of the finding; docs/doctor.md has a section for each'),
  severity: z.enum(['broken', 'risk']).describe('Whether it stops something now, or will'),
  service: z
    .string()
    .optional()
    .describe('Id of the service or job; absent where it is of the host or the environment'),
  evidence: z.array(z.string()).min(1).describe('What was seen, word for word, secrets masked'),
  meaning: z.string().describe('What that means'),
  remedy: z.string().describe('What to do, commands and settings in backticks'),
});

/** What `ragdock doctor --json` writes. */
export const DoctorReport = z
  .strictObject({
    schema: z.literal(1).describe('Version of this format'),
    environment: z.string().describe('Name of the environment'),
    engine: z.string().describe('Address of the engine'),
    ok: z.boolean().describe('Whether nothing is broken; there may be risks. The exit code is 0 then, and 1 otherwise'),
    findings: z.array(ReportedFinding).describe('The likeliest cause first: what is broken before what is a risk'),
  })
  .describe('What is wrong with an environment');
export type DoctorReport = z.output<typeof DoctorReport>;

/** The findings as they are written. */
export function doctorReport({ environment, address }: Evidence, findings: readonly Finding[]): DoctorReport {
  return {
    schema: 1,
    environment,
    engine: address,
    ok: !findings.some(({ severity }) => severity === 'broken'),
    findings: findings.map(({ id, severity, service, evidence, meaning, remedy }) => ({
      id,
      severity,
      ...(service === undefined ? {} : { service }),
      evidence: [...evidence],
      meaning,
      remedy,
    })),
  };
}

/** The JSON Schema of the report, as it is committed. */
export function doctorReportSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(DoctorReport), null, 2)}\n`;
}
