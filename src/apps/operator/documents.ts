import { parseArgs } from 'node:util';
import { RagdockError } from '../../errors/problem.js';
import { QdrantDocuments } from '../../rag/retrieval/qdrant-documents.js';
import { formatEvent, readLines } from './lines.js';
import { storesOf } from './stores.js';

/** One line of the output. `done` or `error` comes last. */
export type DocumentsEvent =
  | { readonly event: 'document'; readonly path: string; readonly title: string; readonly chunks: number }
  | { readonly event: 'removed'; readonly path: string; readonly chunks: number }
  | { readonly event: 'done' }
  | { readonly event: 'error'; readonly detail: string };

/** The part of a collection that the command uses. */
export type StoredDocuments = Pick<QdrantDocuments, 'list' | 'remove'>;

/** The documents of a course, by name. */
export async function* listed(store: StoredDocuments, course: string): AsyncGenerator<DocumentsEvent> {
  for (const { source, title, passages } of await store.list(course)) {
    yield { event: 'document', path: source, title, chunks: passages };
  }
}

/** Reads names of documents, each a line of JSON, and removes them one by one. */
export async function* removed(
  lines: AsyncIterable<string>,
  store: StoredDocuments,
  course: string,
): AsyncGenerator<DocumentsEvent> {
  for await (const line of lines) {
    const source: unknown = JSON.parse(line);
    if (typeof source !== 'string') throw new Error('expected a line of JSON with the name of a document');
    yield { event: 'removed', path: source, chunks: await store.remove({ course, source }) };
  }
}

/** The command `operator-documents`: lists, or with `--remove` removes what it is told; gives its exit code. */
export async function operatorDocuments(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  input: AsyncIterable<Uint8Array>,
  write: (text: string) => void,
): Promise<0 | 1> {
  const { collection, course, remove } = parseArguments(args);
  const tell = (event: DocumentsEvent) => write(formatEvent(event));
  const stores = storesOf(environment);
  const credential = await stores.openCredential();
  let store: QdrantDocuments | undefined;
  try {
    store = await QdrantDocuments.open(stores.qdrantUrl, credential, collection);
    const events = remove ? removed(readLines(input), store, course) : listed(store, course);
    for await (const event of events) tell(event);
    tell({ event: 'done' });
    return 0;
  } catch (error) {
    tell({ event: 'error', detail: (error as Error).message });
    return 1;
  } finally {
    await store?.close();
  }
}

function parseArguments(args: readonly string[]): { collection: string; course: string; remove: boolean } {
  const options = { collection: { type: 'string' }, course: { type: 'string' }, remove: { type: 'boolean' } } as const;
  try {
    const { collection, course, remove = false } = parseArgs({ args: [...args], options }).values;
    if (collection && course) return { collection, course, remove };
  } catch (cause) {
    throw new RagdockError({ code: 'USAGE', message: (cause as Error).message }, { cause });
  }
  throw new RagdockError({
    code: 'USAGE',
    message: 'expected operator-documents --collection C --course X [--remove]',
  });
}
