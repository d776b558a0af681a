import { printable } from '../operator/printable.js';
import type { Finding } from './finding.js';
import type { WrittenBundle } from './write-bundle.js';

/** Colours a text, or leaves it as it is. */
type Paint = (style: 'red' | 'green' | 'yellow' | 'bold' | 'dim', text: string) => string;

/** What was found, for a terminal: the likeliest cause first, each with evidence, meaning and remedy. */
export function formatFindings(environment: string, findings: readonly Finding[], paint: Paint): string {
  if (findings.length === 0) return `${environment}: ${paint('green', 'nothing found')}\n`;
  return alike(findings)
    .map(([finding, services]) => `${formatFinding(finding, services, paint)}\n`)
    .join('\n');
}

/** Findings that differ by their service alone, as after a new version of the apps, are told once. */
function alike(findings: readonly Finding[]): readonly (readonly [Finding, readonly string[]])[] {
  const groups = new Map<string, [Finding, string[]]>();
  for (const finding of findings) {
    const { service, ...rest } = finding;
    const key = JSON.stringify(rest);
    const group = groups.get(key) ?? [finding, []];
    if (service !== undefined) group[1].push(service);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** What was found, in one sentence. */
export function describeFindings(findings: readonly Finding[]): string {
  const [first] = findings;
  const count = findings.length === 1 ? '1 finding' : `${findings.length} findings`;
  return first ? `${count}; first ${first.service ? `${first.service}: ` : ''}${first.id}` : 'nothing found';
}

/** What is in a bundle, with the size of each file in bytes. */
export function formatBundle(file: string, { files, unknown }: WrittenBundle): string {
  const sizes = files.map(({ text }) => String(Buffer.byteLength(text)));
  const width = Math.max(...sizes.map(({ length }) => length));
  const lines = files.map(({ name }, index) => `  ${sizes[index]?.padStart(width)}  ${name}\n`);
  const masked = unknown.length === 0 ? 'secrets masked' : `not masked: ${unknown.join(', ')}`;
  return `\n${file} written, ${masked}; look through it before you send it:\n${lines.join('')}`;
}

function formatFinding(
  { id, severity, evidence, meaning, remedy }: Finding,
  services: readonly string[],
  paint: Paint,
): string {
  const head = paint('bold', services.length === 0 ? id : `${services.join(', ')}: ${id}`);
  const word = severity === 'broken' ? paint('red', 'BROKEN') : paint('yellow', 'risk');
  return [
    `${word}  ${head}`,
    ...evidence.map((line) => `    ${paint('dim', 'seen')}  ${printable(line).replaceAll('\n', ' ')}`),
    `    ${meaning}`,
    `    → ${remedy}`,
  ].join('\n');
}
