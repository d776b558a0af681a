import type Docker from 'dockerode';
import type { Topology } from '../../constructs/engines/docker/index.js';
import type { Workload } from '../../constructs/model/index.js';
import { maskSecrets } from '../apps/mask-secrets.js';
import { describe, withSignal } from '../apps/operator/smoke/check.js';
import { RagdockError } from '../errors/problem.js';
import { lastLines } from './logs.js';
import type { Diagnosis, Evidence } from './report.js';

/** Longest wait for the doctor, in milliseconds. */
const DOCTOR_MS = 30_000;

/** Longest line of a log that is told, in characters. */
const LONGEST_LINE = 500;

/** What a doctor says first of each of these services; nothing of one that it finds nothing wrong with. */
export type Diagnose = (services: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, Diagnosis>>;

export interface EvidenceOptions {
  /** Values that must not be in it, as far as this machine knows them. */
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
  /** Whether every secret that a workload holds is known to somebody who masks. */
  readonly canMask: (workload: Workload) => boolean;
  /** @default - no doctor is asked */
  readonly diagnose?: Diagnose;
  /** A text without the secrets that somebody else knows; undefined when that cannot be said. @default - nobody does */
  readonly mask?: ((text: string) => Promise<string | undefined>) | undefined;
}

/** What services wrote last, and what the doctor says of them, without a secret. */
export async function collectEvidence(
  docker: Docker,
  topology: Topology,
  failed: readonly string[],
  options: EvidenceOptions,
): Promise<Evidence> {
  const [logs, doctor] = await Promise.all([logsOf(docker, topology, failed, options), askDoctor(failed, options)]);
  return { logs, ...doctor };
}

async function logsOf(
  docker: Docker,
  topology: Topology,
  failed: readonly string[],
  options: EvidenceOptions,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const workloads = topology.workloads.filter((it) => failed.includes(it.node.id) && options.canMask(it));
  const entries = await Promise.all(
    workloads.map(async (workload) => {
      // A log that cannot be had takes nothing from the results.
      const lines = await lastLines(docker, topology.containerName(workload)).catch((): readonly string[] => []);
      if (lines.length === 0) return [];
      const masked = await maskedBy(lines.join('\n'), options);
      return masked === undefined ? [] : [[workload.node.id, masked.split('\n').map(shortened)] as const];
    }),
  );
  return new Map(entries.flat());
}

/** After the masking: of a secret that was cut nobody knows the rest. */
const shortened = (line: string): string => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line);

/** The doctor may be as helpless as the stack: then that is told, and the results are what they are. */
async function askDoctor(
  failed: readonly string[],
  options: EvidenceOptions,
): Promise<Pick<Evidence, 'diagnoses' | 'doctor'>> {
  const { diagnose, signal, secrets } = options;
  if (!diagnose || failed.length === 0) return { diagnoses: new Map() };
  const time = AbortSignal.any([signal, AbortSignal.timeout(DOCTOR_MS)]);
  try {
    const said = await withSignal(time, () => diagnose(failed, time));
    const entries = await Promise.all(
      [...said].map(async ([service, { id, ...texts }]) => {
        const [meaning, remedy] = await Promise.all([
          maskedBy(texts.meaning, options),
          maskedBy(texts.remedy, options),
        ]);
        return meaning === undefined || remedy === undefined ? [] : [[service, { id, meaning, remedy }] as const];
      }),
    );
    return { diagnoses: new Map(entries.flat()) };
  } catch (error) {
    signal.throwIfAborted();
    const why = error instanceof RagdockError ? error.problems.map((it) => it.message).join('; ') : describe(error);
    return { diagnoses: new Map(), doctor: maskSecrets(why, secrets) };
  }
}

/** Without what either side knows as a secret. */
async function maskedBy(text: string, { secrets, mask }: EvidenceOptions): Promise<string | undefined> {
  const known = maskSecrets(text, secrets);
  return mask ? mask(known) : known;
}
