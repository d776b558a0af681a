import { z } from 'zod';
import { SMOKE_LEVELS } from '../apps/operator/smoke/level.js';
import { CheckResult } from '../apps/operator/smoke/protocol.js';

/** What the doctor says first of a service that failed. */
export const Diagnosis = z.strictObject({
  id: z.string().describe('Stable name of the finding, as `ragdock doctor` gives it'),
  meaning: z.string().describe('What is wrong, in one or two sentences'),
  remedy: z.string().describe('What to do'),
});
export type Diagnosis = z.output<typeof Diagnosis>;

/** Name of the check whether the apps that run are those of this version. */
export const BUNDLE = 'bundle';

const ReportedCheck = CheckResult.extend({
  ok: z.boolean().describe('Whether it passed'),
  logs: z
    .array(z.string())
    .optional()
    .describe('The last lines of the service’s log, secrets masked; of failed checks'),
  diagnosis: Diagnosis.optional().describe('What the doctor says first of the service; of failed checks'),
});
export type ReportedCheck = z.output<typeof ReportedCheck>;

/** What `ragdock smoke --json` writes. */
export const SmokeReport = z
  .strictObject({
    schema: z.literal(1).describe('Version of this format'),
    environment: z.string().describe('Name of the environment'),
    level: z.enum(SMOKE_LEVELS).describe('How far the run went; each level includes those before it'),
    startedAt: z.iso.datetime().describe('When the run began'),
    seconds: z.number().min(0).describe('How long it took'),
    ok: z.boolean().describe('Whether every check passed'),
    counts: z.strictObject({ passed: z.int().min(0), failed: z.int().min(0), skipped: z.int().min(0) }),
    notAsked: z
      .array(
        z.strictObject({
          what: z.string().describe('`path`, or the id of a service'),
          why: z.string().describe('What it would take'),
        }),
      )
      .optional()
      .describe('What was left out although nobody asked for that; no failure'),
    doctor: z.string().optional().describe('Why the doctor could not look at what failed'),
    checks: z
      .array(ReportedCheck)
      .describe('Failed ones first, and among them those that no other failure explains; then skipped, then passed'),
  })
  .describe('Report of one run of the smoke tests');
export type SmokeReport = z.output<typeof SmokeReport>;

/** Something that was left out, and why. */
export type NotAsked = NonNullable<SmokeReport['notAsked']>[number];

/** What a report says of the run as a whole. */
export type ReportHead = Pick<SmokeReport, 'environment' | 'level' | 'startedAt' | 'seconds' | 'notAsked'>;

/** The JSON Schema of the report, as it is committed. */
export function smokeReportSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(SmokeReport), null, 2)}\n`;
}

/** What is known of services that failed, beside what was asked of them. */
export interface Evidence {
  /** Last lines of a service's log, by its id. */
  readonly logs: ReadonlyMap<string, readonly string[]>;
  readonly diagnoses: ReadonlyMap<string, Diagnosis>;
  /** Why the doctor could not look. @default - it looked, or nothing had failed */
  readonly doctor?: string | undefined;
}

const NONE: Evidence = { logs: new Map(), diagnoses: new Map() };

/** The report as `--json` writes it. */
export const jsonOf = (report: SmokeReport): string => `${JSON.stringify(report, null, 2)}\n`;

/** Results as they came: the last word on a check counts. */
export class Results {
  readonly #results = new Map<string, CheckResult>();
  readonly #own = new Set<CheckResult>();

  /** @param own whether no other service's failure explains this one. @default false */
  add(result: CheckResult, own = false): void {
    this.#results.set(`${result.service}\n${result.check}\n${result.level}`, result);
    if (own) this.#own.add(result);
  }

  /** Ids of the services with a failed check. */
  get failed(): ReadonlySet<string> {
    return new Set(
      [...this.#results.values()].filter(({ outcome }) => outcome === 'failed').map(({ service }) => service),
    );
  }

  /** Ids of the services that run another version of the bundled apps than a deploy would bring. */
  get staleApps(): readonly string[] {
    return [...this.#results.values()].flatMap(({ check, outcome, service }) =>
      check === BUNDLE && outcome === 'failed' ? [service] : [],
    );
  }

  /**
   * @param needs services that each service cannot work without
   * @param evidence what is known of services that failed
   */
  report(
    { notAsked = [], ...head }: ReportHead,
    needs: ReadonlyMap<string, ReadonlySet<string>>,
    { logs, diagnoses, doctor }: Evidence = NONE,
  ): SmokeReport {
    const { failed } = this;
    const checks = [...this.#results.values()].map((result): ReportedCheck => {
      const ok = result.outcome === 'passed';
      if (result.outcome !== 'failed') return { ...result, ok };
      const explaining = this.#own.has(result) ? [] : [...(needs.get(result.service) ?? [])];
      // Of some checks whoever made them knows more than the model: what a document takes, Qdrant alone does not.
      const because = [...new Set([...explaining.filter((id) => failed.has(id)), ...(result.because ?? [])])];
      const lines = logs.get(result.service);
      const diagnosis = diagnoses.get(result.service);
      return {
        ...result,
        ok,
        ...(because.length > 0 ? { because } : {}),
        ...(lines ? { logs: [...lines] } : {}),
        ...(diagnosis ? { diagnosis } : {}),
      };
    });
    const count = (outcome: CheckResult['outcome']) => checks.filter((check) => check.outcome === outcome).length;
    return {
      schema: 1,
      ...head,
      // No check at all proves nothing.
      ok: checks.length > 0 && checks.every(({ ok }) => ok),
      counts: { passed: count('passed'), failed: count('failed'), skipped: count('skipped') },
      ...(notAsked.length === 0 ? {} : { notAsked: [...notAsked] }),
      ...(doctor === undefined ? {} : { doctor }),
      checks: checks
        .map((check, index) => ({ check, index }))
        .sort((a, b) => rank(a.check) - rank(b.check) || a.index - b.index)
        .map(({ check }) => check),
    };
  }
}

/** Causes before their consequences; a container that is down before what its service did not answer. */
function rank({ outcome, because = [], level }: ReportedCheck): number {
  if (outcome === 'passed') return 300;
  if (outcome === 'skipped') return 200;
  return (because.length > 0 ? 100 + because.length : 0) + { up: 0, service: 0.1, path: 0.2 }[level];
}
