import { type Finding, ranked } from './finding.js';

/**
 * The one finding that says most about a service that failed: what is broken in it, else what is broken in the engine
 * or the host under it, else what is only a risk of its own. Undefined when no finding is about it.
 *
 * @param findings as {@link diagnose} gives them, in any order
 * @param service id of the service, such as `llm-chat`
 */
export function firstDiagnosis(findings: readonly Finding[], service: string): Finding | undefined {
  const likeliest = ranked(findings);
  return (
    likeliest.find((finding) => finding.service === service && finding.severity === 'broken') ??
    likeliest.find((finding) => finding.service === undefined && finding.severity === 'broken') ??
    likeliest.find((finding) => finding.service === service)
  );
}
