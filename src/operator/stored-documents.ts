import type Docker from 'dockerode';
import { nearest } from '../errors/nearest.js';
import { type Problem, RagdockError, throwProblems } from '../errors/problem.js';
import { sourceOf } from '../rag/ingest/ingest.js';
import { DocumentsEvent, parseEvent } from './events.js';
import { ownCollection } from './own-collection.js';
import { runSession, sweepSessions } from './session.js';
import type { DescribedStack } from './stack.js';
import { planStoreSession } from './store-session.js';

/** A collection of a hundred thousand passages is read in some seconds; a slow disk takes its time. */
const DEADLINE_SECONDS = 600;

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
 * @throws RagdockError STACK_NOT_DEPLOYED, SESSION_FAILED, or USAGE for a collection that ragdock does not fill
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
  return documents;
}

/**
 * Removes documents by their names; one that is gone already is no fault.
 *
 * @param onRemoved told of each document with the number of passages that it had
 * @throws RagdockError as `listDocuments`; what was told of is removed then
 */
export async function removeDocuments(
  docker: Docker,
  stack: DescribedStack,
  { paths, ...place }: DocumentsPlace & { readonly paths: readonly string[] },
  onRemoved: (removed: Omit<StoredDocument, 'title'>) => void,
): Promise<void> {
  await converse(docker, stack, place, paths, (event) => {
    if (event.event === 'removed') onRemoved({ path: event.path, chunks: event.chunks });
  });
}

/**
 * The stored documents that are named: each by its name, or, with `/` at its end, all below a folder.
 *
 * @throws RagdockError USAGE with every name that no document has
 */
export function namedDocuments(
  names: readonly string[],
  stored: readonly StoredDocument[],
  collection: string,
): readonly string[] {
  const problems: Problem[] = [];
  const found = new Set<string>();
  for (const name of names) {
    const source = sourceOf(name);
    const matching = stored.filter(({ path }) => path === source || (source.endsWith('/') && path.startsWith(source)));
    for (const { path } of matching) found.add(path);
    if (matching.length > 0) continue;
    const meant = nearest(
      source,
      stored.map(({ path }) => path),
    );
    problems.push({
      code: 'USAGE',
      message: `${collection} has no document '${name}'${meant === undefined ? '' : `; did you mean '${meant}'?`}`,
      remedy:
        'Name documents as `ragdock documents list` does; with / at its end a name is all that is below a folder.',
    });
  }
  throwProblems(problems);
  return [...found].sort();
}

/** @param paths what is removed. @default - nothing: the documents are listed */
async function converse(
  docker: Docker,
  stack: DescribedStack,
  { collection, course, signal }: DocumentsPlace,
  paths: readonly string[] | undefined,
  onEvent: (event: DocumentsEvent) => void,
): Promise<void> {
  const { services, topology } = stack;
  ownCollection(stack, collection);
  const { plan } = await planStoreSession(docker, stack, {
    purpose: 'documents',
    command: [
      ...['operator-documents', '--collection', collection, '--course', course],
      ...(paths ? ['--remove'] : []),
    ],
    vectors: false,
    deadlineSeconds: DEADLINE_SECONDS,
    memoryMiB: MEMORY_MIB,
  });
  await sweepSessions(docker, topology.environment);
  let last: DocumentsEvent | undefined;
  const { exitCode, diagnostics } = await runSession(docker, plan, {
    input: (paths ?? []).map((path) => `${JSON.stringify(path)}\n`),
    signal,
    deadlineSeconds: DEADLINE_SECONDS,
    onLine: (line) => {
      last = parseEvent(DocumentsEvent, line);
      onEvent(last);
    },
  });
  if (last?.event === 'done') return;
  const cause = last?.event === 'error' ? last.detail : `the session ended with ${exitCode}`;
  throw new RagdockError({
    code: 'SESSION_FAILED',
    path: services.qdrant.node.id,
    message: `${cause}${diagnostics === '' ? '' : `: ${diagnostics}`}`,
    remedy: 'Remove the cause and run the command again; what was removed stays removed.',
  });
}
