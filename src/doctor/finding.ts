/** How bad a finding is: it stops something now, or it will. */
export type Severity = 'broken' | 'risk';

/** One thing that is wrong with a stack, with what shows it and what to do. */
export interface Finding {
  /** Stable name, such as `gpu-memory-exhausted`; the page of the doctor has a section for each. */
  readonly id: string;
  readonly severity: Severity;
  /** Id of the service that has it. @default - it is of the host or of the environment */
  readonly service?: string | undefined;
  /** What was seen, word for word, secrets masked: lines of a log, of an inspection, numbers. At least one. */
  readonly evidence: readonly string[];
  /** What that means, in one or two sentences. */
  readonly meaning: string;
  /** What to do: a command, or a setting with its value. */
  readonly remedy: string;
  /** Sure causes come before what may only be a consequence of them: 0 is the surest. */
  readonly rank: number;
}

/** The likeliest cause first: what is broken before what is a risk, causes before consequences, then by name. */
export function ranked(findings: readonly Finding[]): readonly Finding[] {
  const place = ({ severity, rank }: Finding): number => (severity === 'broken' ? 0 : 100) + rank;
  const name = ({ id, service = '' }: Finding): string => `${id} ${service}`;
  return [...findings].sort((a, b) => place(a) - place(b) || (name(a) < name(b) ? -1 : 1));
}
