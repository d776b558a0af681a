import type Docker from 'dockerode';
import { type CollectionEmbedding, collectionsOf } from '../../config/collections.js';
import { OPERATOR_INGEST_VARIABLES } from '../apps/operator/ingest.js';
import { RagdockError } from '../errors/problem.js';
import { type DocumentFile, readDocument } from './documents.js';
import { IngestEvent, parseEvent } from './events.js';
import { newRun, runSession, sweepSessions } from './session.js';
import { planSession, SessionAccess, type SessionConnection } from './session-plan.js';
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
  const { qdrantUrl, qdrantKeyFile, embeddingsUrl, embeddingsKeyFile } = OPERATOR_INGEST_VARIABLES;
  const embedding = embeddingFor(stack, request.collection);
  const embeddings = embedding && services.embeddings;
  requireRunning(topology, inventory, [services.qdrant, ...(embeddings ? [embeddings] : [])]);
  const connections: readonly SessionConnection[] = [
    { endpoint: services.qdrant.http, url: qdrantUrl, credential: qdrantKeyFile },
    ...(embeddings ? [{ endpoint: embeddings.http, url: embeddingsUrl, credential: embeddingsKeyFile }] : []),
  ];
  const plan = planSession(
    topology,
    {
      purpose: 'ingest',
      command: [
        ...['operator-ingest', '--collection', request.collection, '--course', request.course],
        ...(embedding ? ['--embedding', embedding.model, '--dimension', String(embedding.dimension)] : []),
      ],
      connections,
      deadlineSeconds: DEADLINE_SECONDS,
      memoryMiB: MEMORY_MIB,
    },
    new SessionAccess(
      topology,
      connections.map(({ endpoint }) => endpoint),
      inventory,
    ),
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

/** The model of the collection's vectors. Throws for a collection that is only read. */
function embeddingFor({ environment }: DescribedStack, name: string): CollectionEmbedding | undefined {
  const collection = collectionsOf(environment.settings.services).find((one) => one.name === name);
  if (collection?.layout === 'langchain') {
    throw new RagdockError({
      code: 'USAGE',
      path: `services.api.collections.${name}`,
      message: `${name} is a collection of LangChain, which ragdock reads and never writes`,
      remedy: 'Name another collection, or ingest by what filled this one.',
    });
  }
  return collection?.embedding;
}

/** Documents are read one by one, as the session takes them. */
function* linesOf(documents: readonly DocumentFile[]): Generator<string> {
  for (const document of documents) yield `${JSON.stringify(readDocument(document))}\n`;
}
