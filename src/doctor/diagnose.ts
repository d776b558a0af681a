import { containerFindings } from './container-rules.js';
import { engineFindings, unreachableFindings } from './engine-rules.js';
import type { Evidence, SeenWorkload } from './evidence.js';
import { type Finding, type FindingId, ranked } from './finding.js';
import { neededServers } from './needed-servers.js';
import { lockFindings, stackFindings } from './stack-rules.js';

/** All that is wrong by this evidence, the likeliest cause first; nothing when the stack is well. */
export function diagnose(evidence: Evidence): readonly Finding[] {
  const { environment, address, seen } = evidence;
  return ranked([
    ...lockFindings(evidence),
    ...unreachableFindings(evidence),
    ...(seen
      ? driftAsCause(
          unique([
            ...engineFindings(environment, seen),
            ...containerFindings(environment, seen),
            ...stackFindings(environment, address, seen),
          ]),
          seen.workloads,
        )
      : []),
  ]);
}

/** Findings that say how a service fails, and nothing of why. */
const WITHOUT_CAUSE: readonly FindingId[] = ['probe-fails', 'crash-loop'];

/**
 * A container that drifted is a risk while it works. Where it fails, nothing says why, and every server that it needs is
 * well, what somebody changed is the likeliest cause, and comes right before the failure.
 */
function driftAsCause(findings: readonly Finding[], workloads: readonly SeenWorkload[]): readonly Finding[] {
  const broken = findings.filter(({ severity }) => severity === 'broken');
  const isBroken = ({ id }: SeenWorkload) => broken.some(({ service }) => service === id);
  return findings.map((finding) => {
    if (finding.id !== 'drifted') return finding;
    const failure = broken.find(({ id, service }) => WITHOUT_CAUSE.includes(id) && service === finding.service);
    const workload = workloads.find(({ id }) => id === finding.service);
    if (!failure || !workload || neededServers(workload, workloads).some(isBroken)) return finding;
    return { ...finding, severity: 'broken', rank: failure.rank - 1 };
  });
}

/** One finding of a kind for each service: several ways to see the same are further evidence of it. */
function unique(findings: readonly Finding[]): readonly Finding[] {
  const merged = new Map<string, Finding>();
  for (const finding of findings) {
    const key = finding.service === undefined ? `${merged.size}` : `${finding.id} ${finding.service}`;
    const known = merged.get(key);
    merged.set(key, known ? { ...known, evidence: [...known.evidence, ...finding.evidence] } : finding);
  }
  return [...merged.values()];
}
