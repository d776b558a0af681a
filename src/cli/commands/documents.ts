import { basename } from 'node:path/posix';
import type Docker from 'dockerode';
import type { StoredDocument } from '../../operator/stored-documents.js';
import { type CollectionOptions, collectionCourse, withCollectionOptions } from '../collection-options.js';
import { HELP_COMMAND, type RagdockCommand } from '../command.js';
import type { Io } from '../io.js';

interface Options extends CollectionOptions {
  readonly json?: true;
}

/** `ragdock documents`: what a collection of a running stack holds, and what it is to hold no more. */
export function registerDocuments(program: RagdockCommand, io: Io): void {
  const documents = program
    .command('documents')
    .description('list and remove the documents of a collection')
    .helpCommand(...HELP_COMMAND)
    .example('ragdock documents list --collection BD_curs_data --env dev', 'what was ingested');
  withCollectionOptions(documents.command('list'), 'collection that holds the documents')
    .description('list the documents of a course in a collection of a running stack')
    .option('--json', 'one JSON object for each document on stdout, and one for all of them')
    .example('ragdock documents list --collection BD_curs_data --env dev', 'names, titles and passages')
    .action((options: Options) => list(options, io));
  withCollectionOptions(documents.command('remove'), 'collection that holds the documents')
    .description('remove documents of a course from a collection of a running stack, when their files are gone')
    .argument('<document...>', 'names as `list` shows them; with / at its end, all that is below a folder')
    .option('--json', 'one JSON object for each document on stdout, and one for all of them')
    .example('ragdock documents remove docs/old.md --collection BD_curs_data --env dev', 'one document')
    .example('ragdock documents remove docs/2024/ --collection BD_curs_data --env dev', 'all below a folder')
    .action((names: string[], options: Options) => remove(names, options, io));
}

async function list(options: Options, io: Io): Promise<void> {
  const { listDocuments } = await import('../../operator/stored-documents.js');
  const { shownName } = await import('../../operator/document-names.js');
  const { stack, ...place } = await collectionCourse(options, io, 'former');
  const documents = await onEngine(stack.environment.settings.host.docker, io, (docker) =>
    listDocuments(docker, stack, { ...place, signal: io.signal }),
  );
  for (const { path, title, chunks } of documents) {
    const told = title === '' || basename(path).startsWith(title) ? '' : `  ${shownName(title)}`;
    const line = `${String(chunks).padStart(4)} passages  ${shownName(path)}${told}\n`;
    io.stdout.write(options.json ? event({ event: 'document', path, title, chunks }) : line);
  }
  const { count, chunks } = totalOf(documents);
  io.stdout.write(
    options.json
      ? event({ event: 'done', documents: documents.length, chunks })
      : `${count} of ${place.course}; ${chunks} passages\n`,
  );
}

async function remove(names: readonly string[], options: Options, io: Io): Promise<void> {
  const { listDocuments, removeDocuments } = await import('../../operator/stored-documents.js');
  const { namedDocuments, shownName } = await import('../../operator/document-names.js');
  const { stack, ...place } = await collectionCourse(options, io, 'former');
  const removed: Omit<StoredDocument, 'title'>[] = [];
  await onEngine(stack.environment.settings.host.docker, io, async (docker) => {
    const where = { ...place, signal: io.signal };
    const paths = namedDocuments(names, await listDocuments(docker, stack, where), place);
    await removeDocuments(docker, stack, { ...where, paths }, ({ path, chunks }) => {
      if (chunks > 0) removed.push({ path, chunks });
      // Somebody else removed it since it was listed.
      const what = chunks > 0 ? `removed  ${String(chunks).padStart(4)} passages` : 'was gone already      ';
      io.stdout.write(options.json ? event({ event: 'removed', path, chunks }) : `${what}  ${shownName(path)}\n`);
    });
  });
  const { count, chunks } = totalOf(removed);
  io.stdout.write(
    options.json
      ? event({ event: 'done', documents: removed.length, chunks })
      : `${count} of ${place.course} removed; ${chunks} passages\n`,
  );
}

function totalOf(documents: readonly Omit<StoredDocument, 'title'>[]): { count: string; chunks: number } {
  return {
    count: documents.length === 1 ? '1 document' : `${documents.length} documents`,
    chunks: documents.reduce((sum, document) => sum + document.chunks, 0),
  };
}

async function onEngine<T>(address: string, io: Io, work: (docker: Docker) => Promise<T>): Promise<T> {
  const { withEngine } = await import('../../operator/docker.js');
  return withEngine(address, { certPath: io.env.DOCKER_CERT_PATH }, work);
}

const event = (value: object): string => `${JSON.stringify(value)}\n`;
