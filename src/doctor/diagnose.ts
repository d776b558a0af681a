import { containerFindings } from './container-rules.js';
import { engineFindings, unreachableFindings } from './engine-rules.js';
import type { Evidence } from './evidence.js';
import { type Finding, ranked } from './finding.js';
import { lockFindings, stackFindings } from './stack-rules.js';

/** All that is wrong by this evidence, the likeliest cause first; nothing when the stack is well. */
export function diagnose(evidence: Evidence): readonly Finding[] {
  const { environment, address, seen } = evidence;
  return ranked([
    ...lockFindings(evidence),
    ...unreachableFindings(evidence),
    ...(seen
      ? unique([
          ...engineFindings(environment, seen),
          ...containerFindings(environment, seen),
          ...stackFindings(environment, address, seen),
        ])
      : []),
  ]);
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
