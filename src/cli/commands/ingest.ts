import type { DocumentOutcome } from '../../operator/ingest.js';
import { type CollectionOptions, collectionCourse, withCollectionOptions } from '../collection-options.js';
import type { RagdockCommand } from '../command.js';
import type { Io } from '../io.js';

interface Options extends CollectionOptions {
  readonly json?: true;
}

/** `ragdock ingest`: documents into a collection of a running stack. */
export function registerIngest(program: RagdockCommand, io: Io): void {
  withCollectionOptions(program.command('ingest'), 'collection that receives the documents')
    .summary('bring documents into a collection')
    .description(
      'bring documents (Markdown, text, HTML, PDF, DOCX, JSONL of questions and answers) into a collection of a running stack',
    )
    .argument('<path...>', 'files, and folders with everything below them')
    .option('--json', 'one JSON object for each document on stdout, and one for all of them')
    .example('ragdock ingest docs/ --collection BD_curs_data --env dev', 'every document below a folder')
    .action((paths: string[], options: Options) => ingest(paths, options, io));
}

async function ingest(paths: readonly string[], options: Options, io: Io): Promise<void> {
  const { collectDocuments } = await import('../../operator/documents.js');
  const { ingestDocuments } = await import('../../operator/ingest.js');
  const { withEngine } = await import('../../operator/docker.js');
  const { StatusLine } = await import('../../operator/status-line.js');
  const { formatDone, formatEvent, formatOutcome, summaryOf } = await import('../ingest-report.js');
  const { throwProblems } = await import('../../errors/problem.js');

  const { stack, ...place } = await collectionCourse(options, io, 'present');
  const { docker: address } = stack.environment.settings.host;
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
    await withEngine(address, { certPath: io.env.DOCKER_CERT_PATH }, (docker) =>
      ingestDocuments(docker, stack, {
        documents,
        ...place,
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
