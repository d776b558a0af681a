import { parseArgs } from 'node:util';
import { z } from 'zod';
import { RagdockError } from '../../errors/problem.js';
import { type DocumentReport, type DocumentStatus, ingest, type SourceDocument } from '../../rag/ingest/ingest.js';
import type { ParsedDocument } from '../../rag/ingest/sections.js';
import type { PassageStore } from '../../rag/ports.js';
import type { Embedding } from '../../rag/retrieval/qdrant-layout.js';
import { QdrantPassageStore } from '../../rag/retrieval/qdrant-store.js';
import { formatEvent, readLines } from './lines.js';
import { storesOf } from './stores.js';

const Section: z.ZodType<ParsedDocument['root']> = z.object({
  heading: z.string(),
  headingLine: z.string(),
  blocks: z.array(z.string()),
  children: z.array(z.lazy(() => Section)),
});

/** One line of the input: a document as text, or one that was cut into sections where its file is. */
const DocumentLine = z.union([
  z.object({ path: z.string().min(1), content: z.string() }),
  z.object({
    path: z.string().min(1),
    parsed: z.object({ title: z.string(), root: Section, apart: z.literal(true).optional() }),
  }),
]);

/** One line of the output. `progress` is of each batch; `error` ends an ingestion that could not begin. */
export type IngestEvent =
  | { readonly event: 'progress'; readonly passages: number }
  | ({ readonly event: 'document' } & DocumentReport)
  | ({ readonly event: 'done'; readonly chunks: number } & Readonly<Record<DocumentStatus, number>>)
  | { readonly event: 'error'; readonly detail: string };

/** Reads documents as lines of JSON, ingests them, and tells what becomes of each; `done` comes last. */
export async function* ingestLines(
  lines: AsyncIterable<string>,
  store: PassageStore,
  course: string,
  onStored?: (passages: number) => void,
): AsyncGenerator<IngestEvent> {
  const tally: Record<DocumentStatus, number> = { new: 0, updated: 0, unchanged: 0, failed: 0 };
  let chunks = 0;
  const rejected: DocumentReport[] = [];
  for await (const report of ingest(parseLines(lines, rejected), store, course, onStored)) {
    tally[report.status] += 1;
    chunks += report.chunks;
    yield { event: 'document', ...report };
  }
  for (const report of rejected) {
    tally.failed += 1;
    yield { event: 'document', ...report };
  }
  yield { event: 'done', ...tally, chunks };
}

/** The command `operator-ingest`; gives its exit code. */
export async function operatorIngest(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  input: AsyncIterable<Uint8Array>,
  write: (text: string) => void,
): Promise<0 | 1> {
  const { collection, course, embedding } = parseArguments(args);
  const stores = storesOf(environment);
  const embedder = await stores.openEmbedder(embedding);
  const credential = await stores.openCredential();
  let store: QdrantPassageStore;
  try {
    store = await QdrantPassageStore.open(stores.qdrantUrl, credential, collection, embedder);
  } catch (error) {
    write(formatEvent({ event: 'error', detail: (error as Error).message } satisfies IngestEvent));
    return 1;
  }
  try {
    let failed = 0;
    const onStored = (passages: number) => write(formatEvent({ event: 'progress', passages } satisfies IngestEvent));
    for await (const event of ingestLines(readLines(input), store, course, onStored)) {
      write(formatEvent(event));
      if (event.event === 'done') failed = event.failed;
    }
    return failed > 0 ? 1 : 0;
  } finally {
    await store.close();
  }
}

async function* parseLines(lines: AsyncIterable<string>, rejected: DocumentReport[]): AsyncGenerator<SourceDocument> {
  let number = 0;
  for await (const line of lines) {
    number += 1;
    try {
      yield DocumentLine.parse(JSON.parse(line));
    } catch {
      const error = 'expected a line of JSON with "path", and "content" or "parsed"';
      rejected.push({ path: `(line ${number} of the input)`, chunks: 0, status: 'failed', error });
    }
  }
}

interface Arguments {
  readonly collection: string;
  readonly course: string;
  readonly embedding: Embedding | undefined;
}

function parseArguments(args: readonly string[]): Arguments {
  const { collection, course, embedding: model, dimension } = parseOptions(args);
  if (!collection || !course) {
    throw new RagdockError({
      code: 'USAGE',
      message: 'expected operator-ingest --collection C --course X [--embedding MODEL --dimension N]',
    });
  }
  return { collection, course, embedding: model === undefined ? undefined : { model, dimension: Number(dimension) } };
}

const OPTIONS = {
  collection: { type: 'string' },
  course: { type: 'string' },
  embedding: { type: 'string' },
  dimension: { type: 'string' },
} as const;

function parseOptions(args: readonly string[]): { [Name in keyof typeof OPTIONS]?: string | undefined } {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (cause) {
    throw new RagdockError({ code: 'USAGE', message: (cause as Error).message }, { cause });
  }
}
