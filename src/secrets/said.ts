import { maskSecrets } from '../apps/mask-secrets.js';
import { printable } from '../operator/printable.js';

/** Lines of standard error that a problem shows, the last ones, and most characters of them. */
const SHOWN_LINES = 5;
const SHOWN_CHARACTERS = 1000;

/** The end of what a program wrote for people, without secrets and without what moves a cursor. */
export function saidBy(stderr: Buffer, secrets: readonly string[]): string {
  const lines = printable(maskSecrets(stderr.toString('utf8'), secrets))
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-SHOWN_LINES);
  if (lines.length === 0) return ', and said nothing';
  return `:\n${lines.join('\n').slice(-SHOWN_CHARACTERS).replace(/^/gm, '      ')}`;
}
