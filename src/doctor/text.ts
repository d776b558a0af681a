import { printable } from '../operator/printable.js';
import type { BundledFile } from './bundle.js';
import type { Finding } from './finding.js';

/** Colours a text, or leaves it as it is. */
type Paint = (style: 'red' | 'green' | 'yellow' | 'bold' | 'dim', text: string) => string;

/** What was found, for a terminal: the likeliest cause first, each with evidence, meaning and remedy. */
export function formatFindings(environment: string, findings: readonly Finding[], paint: Paint): string {
  if (findings.length === 0) return `${environment}: ${paint('green', 'nothing found')}\n`;
  return findings.map((finding) => `${formatFinding(finding, paint)}\n`).join('\n');
}

/** What was found, in one sentence. */
export function describeFindings(findings: readonly Finding[]): string {
  const [first] = findings;
  const count = findings.length === 1 ? '1 finding' : `${findings.length} findings`;
  return first ? `${count}; first ${first.service ? `${first.service}: ` : ''}${first.id}` : 'nothing found';
}

/** What is in a bundle, with the size of each file in bytes. */
export function formatBundle(file: string, files: readonly BundledFile[]): string {
  const sizes = files.map(({ text }) => String(Buffer.byteLength(text)));
  const width = Math.max(...sizes.map(({ length }) => length));
  const lines = files.map(({ name }, index) => `  ${sizes[index]?.padStart(width)}  ${name}\n`);
  return `\n${file} written, secrets masked; look through it before you send it:\n${lines.join('')}`;
}

function formatFinding({ id, severity, service, evidence, meaning, remedy }: Finding, paint: Paint): string {
  const head = paint('bold', service === undefined ? id : `${service}: ${id}`);
  const word = severity === 'broken' ? paint('red', 'BROKEN') : paint('yellow', 'risk');
  return [
    `${word}  ${head}`,
    ...evidence.map((line) => `    ${paint('dim', 'seen')}  ${printable(line).replaceAll('\n', ' ')}`),
    `    ${meaning}`,
    `    → ${remedy}`,
  ].join('\n');
}
