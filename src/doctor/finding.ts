import { FINDING_KINDS, type FindingId, type FindingKind, type Severity } from './catalogue/index.js';

export type { FindingId, Severity };

/** One thing that is wrong with a stack, with what shows it and what to do. */
export interface Finding {
  /** Its kind. */
  readonly id: FindingId;
  readonly severity: Severity;
  /** Id of the service or job that has it. @default - it is of the host or of the environment */
  readonly service?: string | undefined;
  /** What was seen, word for word, secrets masked: lines of a log, of an inspection, numbers. At least one. */
  readonly evidence: readonly string[];
  /** What that means, in one or two sentences. */
  readonly meaning: string;
  /** What to do, commands and settings in backticks. */
  readonly remedy: string;
  /** Sure causes come before what may only be a consequence of them: 0 is the surest. */
  readonly rank: number;
}

/** What a finding is made of beside its kind. */
export interface Seen {
  readonly environment: string;
  readonly service?: string | undefined;
  readonly evidence: readonly string[];
  /** What stands in the texts in the place of `<name>`. */
  readonly values?: Readonly<Record<string, string | undefined>>;
}

/** A finding of a kind, its texts filled with what was seen. */
export function found(id: FindingId, { environment, service, evidence, values = {} }: Seen): Finding {
  const { severity, rank, meaning, remedy }: FindingKind = FINDING_KINDS[id];
  const known = { env: environment, service: service ?? 'the service', ...values };
  return { id, severity, service, evidence, meaning: filled(meaning, known), remedy: filled(remedy, known), rank };
}

/** A text with what is known in the place of `<name>`. What is not known stays as it is. */
export function filled(text: string, values: Readonly<Record<string, string | undefined>>): string {
  return text.replace(/<(\w+)>/g, (whole, name: string) => values[name] ?? whole);
}

/** The likeliest cause first: what is broken before what is a risk, causes before consequences, then by name. */
export function ranked(findings: readonly Finding[]): readonly Finding[] {
  const place = ({ severity, rank }: Finding): number => (severity === 'broken' ? 0 : 100) + rank;
  const name = ({ id, service = '' }: Finding): string => `${id} ${service}`;
  return [...findings].sort((a, b) => place(a) - place(b) || (name(a) < name(b) ? -1 : 1));
}
