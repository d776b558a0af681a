/** How bad a finding is: it stops something now, or it will. */
export type Severity = 'broken' | 'risk';

/**
 * One kind of finding. In its texts `<env>` stands for the environment, `<service>` for the service's id, `<container>`
 * for its container, and other words in such brackets for what the evidence holds.
 */
export interface FindingKind {
  readonly severity: Severity;
  /** Sure causes come before what may only be a consequence of them: 0 is the surest, 99 the last. */
  readonly rank: number;
  /** What it is, in a few words. */
  readonly title: string;
  /** Where it is seen. */
  readonly seen: string;
  /** What that means, in one or two sentences. */
  readonly meaning: string;
  /** What to do: commands and settings in backticks. */
  readonly remedy: string;
}
