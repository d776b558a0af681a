import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { maskSecrets } from '../apps/mask-secrets.js';
import { masked } from '../operator/masked.js';
import type { Evidence } from './evidence.js';
import type { Finding } from './finding.js';
import { doctorReport } from './report.js';

/** What a bundle is made of beside the evidence. */
export interface BundleProps {
  readonly evidence: Evidence;
  readonly findings: readonly Finding[];
  /** Texts of the environment file and its lock file, by their names without folders. */
  readonly files: Readonly<Record<string, string>>;
  /** Values that must not be in it. */
  readonly secrets: readonly string[];
  /** Names of secrets whose values this machine does not know, and which can therefore not be masked. */
  readonly unknown: readonly string[];
  readonly about: { readonly ragdock: string; readonly node: string; readonly platform: string };
  readonly now: Date;
}

/** One file of a bundle. */
export interface BundledFile {
  /** Path inside it. */
  readonly name: string;
  readonly text: string;
}

/** The files of a bundle, every text of them masked. */
export function bundledFiles(props: BundleProps): readonly BundledFile[] {
  const { evidence, findings, files, secrets, unknown, about, now } = props;
  const { seen } = evidence;
  const json = (value: unknown): string => `${JSON.stringify(masked(value, secrets), null, 2)}\n`;
  const folder = `ragdock-doctor-${evidence.environment}`;
  const parts: readonly BundledFile[] = [
    { name: 'about.json', text: json({ ...about, at: now.toISOString(), secretsNotMasked: unknown }) },
    { name: 'findings.json', text: json(doctorReport(evidence, findings)) },
    { name: 'evidence.json', text: json(withoutLogs(evidence)) },
    ...(seen
      ? [
          { name: 'engine.json', text: json(seen.engine) },
          { name: 'status.json', text: json(seen.status) },
        ]
      : []),
    ...Object.entries(files).map(([name, text]) => ({ name: `environment/${name}`, text: maskedLines(text, secrets) })),
    ...(seen?.workloads ?? [])
      .filter(({ log }) => log.length > 0)
      .map(({ id, log }) => ({
        name: `logs/${id}.log`,
        text: maskedLines(log.map(({ at, text }) => `${timeOf(at)}${text}\n`).join(''), secrets),
      })),
  ];
  return parts.map(({ name, text }) => ({ name: `${folder}/${name}`, text }));
}

/** The files as a compressed tar archive. */
export async function packed(files: readonly BundledFile[], now: Date): Promise<Buffer> {
  const archive = pack();
  for (const { name, text } of files) archive.entry({ name, mode: 0o600, mtime: now }, text);
  archive.finalize();
  return gzipSync(await buffer(archive));
}

/** The logs have files of their own. */
function withoutLogs(evidence: Evidence): unknown {
  const { seen } = evidence;
  if (!seen) return evidence;
  const { status: _, engine: __, workloads, ...rest } = seen;
  return {
    ...evidence,
    seen: { ...rest, workloads: workloads.map(({ log, ...workload }) => ({ ...workload, logLines: log.length })) },
  };
}

/**
 * Line by line, because what looks like a secret in one line would otherwise take a piece of the next. Values of several
 * lines are looked for by their lines.
 */
function maskedLines(text: string, secrets: readonly string[]): string {
  const values = secrets.flatMap((value) => [value, ...value.split('\n')]);
  return text
    .split('\n')
    .map((line) => maskSecrets(line, values))
    .join('\n');
}

const timeOf = (at: number): string => (Number.isNaN(at) ? '' : `${new Date(at).toISOString()} `);
