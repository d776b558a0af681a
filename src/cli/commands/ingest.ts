import type { Problem } from '../../errors/problem.js';
import type { IngestEvent } from '../../operator/events.js';
import type { RagdockCommand } from '../command.js';
import type { Io } from '../io.js';
import { paint } from '../io.js';

interface Options {
  readonly collection: string;
  readonly env: string;
  readonly course?: string;
  readonly json?: true;
}

type Report = Extract<IngestEvent, { event: 'document' }>;

/** `ragdock ingest`: documents into a collection of a running stack. */
export function registerIngest(program: RagdockCommand, io: Io): void {
  program
    .command('ingest')
    .summary('bring documents into a collection')
    .description('bring documents (.md, .markdown, .txt) into a collection of a running stack')
    .argument('<path...>', 'files, and folders with everything below them')
    .requiredOption('--collection <name>', 'collection that receives the documents')
    .requiredOption('--env <env>', 'name or file of the environment')
    .option('--course <name>', 'course that the documents belong to (default: the first one of the environment)')
    .option('--json', 'one JSON object for each document on stdout')
    .example('ragdock ingest docs/ --collection BD_curs_data --env dev', 'every document below a folder')
    .action((paths: string[], options: Options) => ingest(paths, options, io));
}

async function ingest(paths: readonly string[], options: Options, io: Io): Promise<void> {
  const { describeStack } = await import('../../operator/stack.js');
  const { collectDocuments } = await import('../../operator/documents.js');
  const { ingestDocuments } = await import('../../operator/ingest.js');
  const { requireKnown } = await import('../../operator/known.js');
  const { withEngine } = await import('../../operator/docker.js');
  const { StatusLine } = await import('../../operator/status-line.js');
  const { throwProblems } = await import('../../errors/problem.js');

  const stack = describeStack(options.env, io.cwd);
  const { name, settings } = stack.environment;
  const { collections, courses } = settings.services.api;
  const course = options.course ?? courses[0] ?? '';
  requireKnown('collection', options.collection, Object.keys(collections), name);
  requireKnown('course', course, courses, name);
  const documents = collectDocuments(paths, io.cwd);

  const status = new StatusLine(io.stderr);
  const reports: Report[] = [];
  const show = () => status.show(`${reports.length} of ${documents.length} documents`);
  const onDocument = (report: Report) => {
    reports.push(report);
    status.clear();
    io.stdout.write(options.json ? `${JSON.stringify(report)}\n` : formatReport(report, io));
    show();
  };
  show();
  try {
    await withEngine(settings.host.docker, { certPath: io.env.DOCKER_CERT_PATH }, (docker) =>
      ingestDocuments(docker, stack, {
        documents,
        collection: options.collection,
        course,
        signal: io.signal,
        onDocument,
      }),
    );
  } finally {
    status.clear();
  }
  io.stdout.write(options.json ? `${JSON.stringify({ event: 'done', ...tally(reports) })}\n` : summary(reports));
  throwProblems(reports.flatMap(problemOf));
}

function formatReport({ status, chunks, path }: Report, io: Io): string {
  const style = status === 'failed' ? 'red' : status === 'unchanged' ? 'dim' : 'green';
  return `${paint(io.stdout, style, status.padEnd(9))}  ${String(chunks).padStart(4)} passages  ${path}\n`;
}

function tally(reports: readonly Report[]) {
  const count = (status: Report['status']) => reports.filter((report) => report.status === status).length;
  return {
    new: count('new'),
    updated: count('updated'),
    unchanged: count('unchanged'),
    failed: count('failed'),
    chunks: reports.reduce((sum, { chunks }) => sum + chunks, 0),
  };
}

function summary(reports: readonly Report[]): string {
  const { chunks, ...counts } = tally(reports);
  const parts = Object.entries(counts).map(([status, count]) => `${count} ${status}`);
  return `${reports.length === 1 ? '1 document' : `${reports.length} documents`}: ${parts.join(', ')}; ${chunks} passages\n`;
}

function problemOf({ status, path, error }: Report): readonly Problem[] {
  return status === 'failed' ? [{ code: 'INGEST_FAILED', file: path, message: error ?? 'no reason was given' }] : [];
}
