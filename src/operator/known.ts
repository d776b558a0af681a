import { nearest } from '../errors/nearest.js';
import { RagdockError } from '../errors/problem.js';

/** Throws USAGE unless `value` is one of `known`. */
export function requireKnown(what: string, value: string, known: readonly string[], environment: string): void {
  if (known.includes(value)) return;
  const meant = nearest(value, known);
  throw new RagdockError({
    code: 'USAGE',
    message: `${environment} has no ${what} '${value}'${meant === undefined ? '' : `; did you mean '${meant}'?`}`,
    remedy: `Known are: ${known.join(', ')}.`,
  });
}
