import type { DocumentOutcome } from '../../operator/ingest.js';
import type { RagdockCommand } from '../command.js';
import type { Io } from '../io.js';

interface Options {
  readonly collection: string;
  readonly env: string;
  readonly course?: string;
  readonly json?: true;
}

/** `ragdock ingest`: documents into a collection of a running stack. */
export function registerIngest(program: RagdockCommand, io: Io): void {
  program
    .command('ingest')
    .summary('bring documents into a collection')
    .description(
      'bring documents (Markdown, text, HTML, PDF, DOCX, JSONL of questions and answers) into a collection of a running stack',
    )
    .argument('<path...>', 'files, and folders with everything below them')
    .requiredOption('--collection <name>', 'collection that receives the documents')
    .requiredOption('--env <env>', 'name or file of the environment')
    .option('--course <name>', 'course that the documents belong to (default: the first one of the environment)')
    .option('--json', 'one JSON object for each document on stdout, and one for all of them')
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
  const { formatDone, formatEvent, formatOutcome, summaryOf } = await import('../ingest-report.js');
  const { throwProblems } = await import('../../errors/problem.js');

  const stack = describeStack(options.env, io.cwd);
  const { name, settings } = stack.environment;
  const { collections, courses } = settings.services.api;
  const course = options.course ?? courses[0] ?? '';
  requireKnown('collection', options.collection, Object.keys(collections), name);
  requireKnown('course', course, courses, name);
  const documents = collectDocuments(paths, io.cwd);

  const status = new StatusLine(io.stderr);
  const outcomes: DocumentOutcome[] = [];
  let stored = 0;
  const show = () => status.show(`${outcomes.length} of ${documents.length} documents, ${stored} passages stored`);
  const onDocument = (outcome: DocumentOutcome) => {
    outcomes.push(outcome);
    status.clear();
    io.stdout.write(options.json ? formatEvent(outcome) : formatOutcome(outcome, io));
    show();
  };
  const onStored = (passages: number) => {
    stored += passages;
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
        onStored,
      }),
    );
  } finally {
    status.clear();
  }
  io.stdout.write(options.json ? formatDone(outcomes) : summaryOf(outcomes));
  throwProblems(outcomes.flatMap(({ problems }) => problems));
}
