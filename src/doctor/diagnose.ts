import { containerFindings } from './container-rules.js';
import { engineFindings } from './engine-rules.js';
import type { Evidence } from './evidence.js';
import { type Finding, ranked } from './finding.js';
import { stackFindings } from './stack-rules.js';

/** All that is wrong by this evidence, the likeliest cause first; nothing when the stack is well. */
export function diagnose(evidence: Evidence): readonly Finding[] {
  return ranked([...engineFindings(evidence), ...containerFindings(evidence), ...stackFindings(evidence)]);
}
