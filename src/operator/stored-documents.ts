import type Docker from 'dockerode';
import { RagdockError } from '../errors/problem.js';
import { DocumentsEvent, parseEvent } from './events.js';
import { requireKnown } from './known.js';
import { ownCollection } from './own-collection.js';
import { runSession, sweepSessions } from './session.js';
import type { DescribedStack } from './stack.js';
import { planStoreSession } from './store-session.js';

/** A collection of a hundred thousand passages is read in some seconds; a slow disk takes its time. */
const LIST_SECONDS = 600;

/** Documents go one by one, each when Qdrant has written that down. */
const REMOVE_SECONDS = 6 * 3600;

/** Names and titles are held, some hundred bytes for each document. */
const MEMORY_MIB = 256;

/** Where documents are. */
export interface DocumentsPlace {
  readonly collection: string;
  readonly course: string;
  readonly signal: AbortSignal;
}

/** A document that is stored, or was. */
export interface StoredDocument {
  /** Its name. */
  readonly path: string;
  readonly title: string;
  /** Its passages. */
  readonly chunks: number;
}

/**
 * The documents of a course in a collection of a running stack, by name.
 *
 * @throws RagdockError STACK_NOT_DEPLOYED, SESSION_FAILED, or USAGE for a collection that ragdock does not fill or a course that neither it nor the environment has
 */
export async function listDocuments(
  docker: Docker,
  stack: DescribedStack,
  place: DocumentsPlace,
): Promise<readonly StoredDocument[]> {
  const documents: StoredDocument[] = [];
  await converse(docker, stack, place, undefined, (event) => {
    if (event.event === 'document') documents.push({ path: event.path, title: event.title, chunks: event.chunks });
  });
  const { name, settings } = stack.environment;
  // A course that the environment had may have documents; one that nobody ever had is a mistake.
  if (documents.length === 0) requireKnown('course', place.course, settings.services.api.courses, name);
  return documents;
}

/**
 * Removes documents by their names; one that is gone already is no fault, and has 0 passages.
 *
 * @param onRemoved told of each document with the number of passages that it had
 * @throws RagdockError as `listDocuments`, also when the session did not hear of all; what was told of is removed then
 */
export async function removeDocuments(
  docker: Docker,
  stack: DescribedStack,
  { paths, ...place }: DocumentsPlace & { readonly paths: readonly string[] },
  onRemoved: (removed: Omit<StoredDocument, 'title'>) => void,
): Promise<void> {
  let told = 0;
  await converse(docker, stack, place, paths, (event) => {
    if (event.event !== 'removed') return;
    told += 1;
    onRemoved({ path: event.path, chunks: event.chunks });
  });
  // A connection that broke looks like the end of the names from inside.
  if (told !== paths.length) throw failed(stack, `${told} of ${paths.length} documents were removed`, REMOVE_REMEDY);
}

const REMOVE_REMEDY =
  'Remove the cause, and run the command again without the names that it told of; those that are gone are no documents any more.';

/** @param paths what is removed. @default - nothing: the documents are listed */
async function converse(
  docker: Docker,
  stack: DescribedStack,
  { collection, course, signal }: DocumentsPlace,
  paths: readonly string[] | undefined,
  onEvent: (event: DocumentsEvent) => void,
): Promise<void> {
  ownCollection(stack, collection);
  const deadlineSeconds = paths ? REMOVE_SECONDS : LIST_SECONDS;
  const { plan } = await planStoreSession(docker, stack, {
    purpose: 'documents',
    command: [
      ...['operator-documents', '--collection', collection, '--course', course],
      ...(paths ? ['--remove'] : []),
    ],
    vectors: false,
    deadlineSeconds,
    memoryMiB: MEMORY_MIB,
  });
  await sweepSessions(docker, stack.topology.environment);
  let last: DocumentsEvent | undefined;
  const { exitCode, diagnostics } = await runSession(docker, plan, {
    input: (paths ?? []).map((path) => `${JSON.stringify(path)}\n`),
    signal,
    deadlineSeconds,
    onLine: (line) => {
      last = parseEvent(DocumentsEvent, line);
      onEvent(last);
    },
  });
  if (last?.event === 'done') return;
  const cause = last?.event === 'error' ? last.detail : `the session ended with ${exitCode}`;
  const message = `${cause}${diagnostics === '' ? '' : `: ${diagnostics}`}`;
  const isOlder = last === undefined && diagnostics.includes('expected one of rag-api');
  throw failed(
    stack,
    message,
    isOlder ? DEPLOY_AGAIN : paths ? REMOVE_REMEDY : 'Remove the cause and run the command again.',
  );
}

const DEPLOY_AGAIN = 'The deployed apps are of another version than this command; deploy again.';

function failed({ services }: DescribedStack, message: string, remedy: string): RagdockError {
  return new RagdockError({ code: 'SESSION_FAILED', path: services.qdrant.node.id, message, remedy });
}
