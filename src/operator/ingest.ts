import type Docker from 'dockerode';
import { OPERATOR_INGEST_VARIABLES } from '../apps/operator/ingest.js';
import { RagdockError } from '../errors/problem.js';
import { type DocumentFile, readDocument } from './documents.js';
import { IngestEvent, parseEvent } from './events.js';
import { newRun, runSession, sweepSessions } from './session.js';
import { planSession, SessionAccess } from './session-plan.js';
import { type DescribedStack, deployedAppsImage, readInventory, requireRunning } from './stack.js';

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
  readonly onDocument: (event: Extract<IngestEvent, { event: 'document' }>) => void;
}

/**
 * Bring documents into a collection of a running stack.
 *
 * @throws RagdockError STACK_NOT_DEPLOYED, or SESSION_FAILED when not every document was reported on
 */
export async function ingestDocuments(docker: Docker, stack: DescribedStack, request: IngestRequest): Promise<void> {
  const { services, topology } = stack;
  const inventory = await readInventory(docker);
  requireRunning(topology, inventory, [services.qdrant]);
  const { qdrantUrl: url, qdrantKeyFile: credential } = OPERATOR_INGEST_VARIABLES;
  const plan = planSession(
    topology,
    {
      purpose: 'ingest',
      command: ['operator-ingest', '--collection', request.collection, '--course', request.course],
      connections: [{ endpoint: services.qdrant.http, url, credential }],
      deadlineSeconds: DEADLINE_SECONDS,
      memoryMiB: MEMORY_MIB,
    },
    new SessionAccess(topology, [services.qdrant.http], inventory),
    { image: deployedAppsImage(stack, inventory), run: newRun() },
  );
  await sweepSessions(docker, topology.environment);

  let reported = 0;
  let refusal: string | undefined;
  const { exitCode, diagnostics } = await runSession(docker, plan, {
    input: linesOf(request.documents),
    signal: request.signal,
    deadlineSeconds: DEADLINE_SECONDS,
    onLine: (line) => {
      const event = parseEvent(IngestEvent, line);
      if (event.event === 'document') {
        reported += 1;
        request.onDocument(event);
      } else if (event.event === 'error') refusal = event.detail;
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

/** Documents are read one by one, as the session takes them. */
function* linesOf(documents: readonly DocumentFile[]): Generator<string> {
  for (const document of documents) yield `${JSON.stringify(readDocument(document))}\n`;
}
