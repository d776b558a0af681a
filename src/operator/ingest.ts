import type Docker from 'dockerode';
import type { DocumentFile, Extraction } from '../documents/extract.js';
import { type DocumentFormat, formatOf } from '../documents/formats.js';
import { DocumentReader } from '../documents/reader.js';
import { type Problem, RagdockError } from '../errors/problem.js';
import { type DocumentStatus, IngestEvent, parseEvent } from './events.js';
import { ownCollection } from './own-collection.js';
import { runSession, sweepSessions } from './session.js';
import type { DescribedStack } from './stack.js';
import { planStoreSession } from './store-session.js';

/** A whole library takes hours on a slow disk. */
const DEADLINE_SECONDS = 6 * 3600;

/** Four documents of the largest size at once take 330 MB to cut up (measured), and their requests come on top. */
const MEMORY_MIB = 768;

export interface IngestRequest {
  readonly documents: readonly DocumentFile[];
  readonly collection: string;
  readonly course: string;
  readonly signal: AbortSignal;
  /** Told what became of each document, in no particular order. */
  readonly onDocument: (outcome: DocumentOutcome) => void;
  /** Told the passages that were stored, batch by batch. @default - nobody is told */
  readonly onStored?: (passages: number) => void;
}

/** What became of one file. */
export interface DocumentOutcome {
  readonly path: string;
  readonly format: DocumentFormat;
  readonly status: DocumentStatus;
  /** Passages of the document. */
  readonly chunks: number;
  /** What is wrong with the file, or with lines of it, or why it could not be stored. */
  readonly problems: readonly Problem[];
  /** What is left out although nothing is wrong. */
  readonly notes: readonly string[];
}

/**
 * Bring documents into a collection of a running stack. Their text is read here, one by one, as the session takes them; a
 * file that cannot be read is reported like one that cannot be stored.
 *
 * @throws RagdockError STACK_NOT_DEPLOYED, or SESSION_FAILED when not every document was reported on
 */
export async function ingestDocuments(docker: Docker, stack: DescribedStack, request: IngestRequest): Promise<void> {
  const { services, topology } = stack;
  const embedding = ownCollection(stack, request.collection)?.embedding;
  const { plan } = await planStoreSession(docker, stack, {
    purpose: 'ingest',
    command: [
      ...['operator-ingest', '--collection', request.collection, '--course', request.course],
      ...(embedding ? ['--embedding', embedding.model, '--dimension', String(embedding.dimension)] : []),
    ],
    vectors: embedding !== undefined,
    deadlineSeconds: DEADLINE_SECONDS,
    memoryMiB: MEMORY_MIB,
  });
  await sweepSessions(docker, topology.environment);

  let reported = 0;
  let refusal: string | undefined;
  const report = (outcome: DocumentOutcome) => {
    reported += 1;
    request.onDocument(outcome);
  };
  const sent = new Map<string, Extraction>();
  const { exitCode, diagnostics } = await runSession(docker, plan, {
    input: linesOf(request, sent, report),
    signal: request.signal,
    deadlineSeconds: DEADLINE_SECONDS,
    onLine: (line) => {
      const event = parseEvent(IngestEvent, line);
      if (event.event === 'document') report(outcomeOf(event, sent));
      else if (event.event === 'progress') request.onStored?.(event.passages);
      else if (event.event === 'error') refusal = event.detail;
    },
  });
  if (reported === request.documents.length) return;
  const progress = `${reported} of ${request.documents.length} documents were reported on`;
  throw new RagdockError({
    code: 'SESSION_FAILED',
    path: services.qdrant.node.id,
    message: `${refusal ?? `the session ended with ${exitCode}`}; ${progress}${diagnostics === '' ? '' : `: ${diagnostics}`}`,
    remedy: 'Remove the cause and run the command again; what was ingested stays and is not doubled.',
  });
}

/** Lines of the session's input. What is not sent is reported at once. */
async function* linesOf(
  { documents, signal }: IngestRequest,
  sent: Map<string, Extraction>,
  report: (outcome: DocumentOutcome) => void,
): AsyncGenerator<string> {
  const reader = new DocumentReader({ signal });
  try {
    for (const one of documents) {
      const { document, ...extraction } = await reader.extract(one);
      if (document) {
        sent.set(one.path, extraction);
        yield `${JSON.stringify(document)}\n`;
      } else report({ ...extraction, status: 'failed', chunks: 0 });
    }
  } finally {
    await reader.close();
  }
}

function outcomeOf(
  { path, status, chunks, error, removed }: Extract<IngestEvent, { event: 'document' }>,
  sent: ReadonlyMap<string, Extraction>,
): DocumentOutcome {
  const { format, problems = [], notes = [] } = sent.get(path) ?? { format: formatOf(path) ?? 'text' };
  // That there is no text was told when the file was read.
  const isTold = removed !== undefined && problems.length > 0;
  const refused: readonly Problem[] =
    status === 'failed' && !isTold
      ? [{ code: 'INGEST_FAILED', file: path, message: error ?? 'no reason was given' }]
      : [];
  const gone = removed ? [`what it held before was removed: ${removed} ${removed === 1 ? 'passage' : 'passages'}`] : [];
  return { path, format, status, chunks, problems: [...problems, ...refused], notes: [...notes, ...gone] };
}
