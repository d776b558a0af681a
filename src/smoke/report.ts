import { z } from 'zod';
import { CheckResult } from '../apps/operator/smoke/protocol.js';

const ReportedCheck = CheckResult.extend({
  ok: z.boolean().describe('Whether it passed'),
  logs: z
    .array(z.string())
    .optional()
    .describe('The last lines of the service’s log, secrets masked; of failed checks'),
});
export type ReportedCheck = z.output<typeof ReportedCheck>;

/** What `ragdock smoke --json` writes. */
export const SmokeReport = z
  .strictObject({
    schema: z.literal(1).describe('Version of this format'),
    environment: z.string().describe('Name of the environment'),
    startedAt: z.iso.datetime().describe('When the run began'),
    seconds: z.number().min(0).describe('How long it took'),
    ok: z.boolean().describe('Whether every check passed'),
    counts: z.strictObject({ passed: z.int().min(0), failed: z.int().min(0), skipped: z.int().min(0) }),
    checks: z
      .array(ReportedCheck)
      .describe('Failed ones first, and among them those that no other failure explains; then skipped, then passed'),
  })
  .describe('Report of one run of the smoke tests');
export type SmokeReport = z.output<typeof SmokeReport>;

/** The JSON Schema of the report, as it is committed. */
export function smokeReportSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(SmokeReport), null, 2)}\n`;
}

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

  /**
   * @param needs services that each service cannot work without
   * @param logs last lines of a service's log
   */
  report(
    head: Pick<SmokeReport, 'environment' | 'startedAt' | 'seconds'>,
    needs: ReadonlyMap<string, ReadonlySet<string>>,
    logs: ReadonlyMap<string, readonly string[]>,
  ): SmokeReport {
    const { failed } = this;
    const checks = [...this.#results.values()].map((result): ReportedCheck => {
      const ok = result.outcome === 'passed';
      if (result.outcome !== 'failed') return { ...result, ok };
      const explaining = this.#own.has(result) ? [] : [...(needs.get(result.service) ?? [])];
      const because = explaining.filter((id) => failed.has(id));
      const lines = logs.get(result.service);
      return {
        ...result,
        ok,
        ...(because.length > 0 ? { because } : {}),
        ...(lines ? { logs: [...lines] } : {}),
      };
    });
    const count = (outcome: CheckResult['outcome']) => checks.filter((check) => check.outcome === outcome).length;
    return {
      schema: 1,
      ...head,
      // No check at all proves nothing.
      ok: checks.length > 0 && checks.every(({ ok }) => ok),
      counts: { passed: count('passed'), failed: count('failed'), skipped: count('skipped') },
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
