import { posix } from 'node:path';
import { cleanText } from '../normalise.js';
import type { DocumentKey, PassageStore, StoredPassage } from '../ports.js';
import { retry } from '../retry.js';
import { CHUNKING_VERSION, chunkDocument } from './chunk.js';
import { hashOf, passageId } from './identity.js';
import { mapTexts, type ParsedDocument, parseMarkdown, parseText } from './sections.js';

/** Passages in one request. The server computes their terms while the request waits. */
const BATCH = 32;

/** Documents on their way at once. */
const CONCURRENCY = 4;

/** How often a document is brought in that another ingestion changes at the same time. */
const ATTEMPTS = 4;

/** A document as text, whose format the ending of its path tells, or cut into its sections already. */
export type SourceDocument = TextDocument | { readonly path: string; readonly parsed: ParsedDocument };

export interface TextDocument {
  /** Path that names the document, with `/` and the ending that tells its format. */
  readonly path: string;
  readonly content: string;
}

export type DocumentStatus = 'new' | 'updated' | 'unchanged' | 'failed';

/** What became of one document. */
export interface DocumentReport {
  readonly path: string;
  readonly chunks: number;
  readonly status: DocumentStatus;
  /** Why it failed. */
  readonly error?: string;
  /** How many passages of its former text were removed, from 0: it failed because it holds no text. @default - it holds some */
  readonly removed?: number;
}

/** Formats of documents that come as text, by ending. */
const PARSERS: Readonly<Record<string, (content: string, fallback: string) => ParsedDocument>> = {
  '.md': parseMarkdown,
  '.markdown': parseMarkdown,
  '.txt': parseText,
};

/** Endings of the documents that are ingested as they are. */
export const TEXT_FORMATS: readonly string[] = Object.keys(PARSERS);

/**
 * Brings documents into a store and reports on each as it is done, in no particular order. One that cannot be read
 * or stored is reported as failed and does not stop the others; one that holds no text any more loses its passages.
 * Running it again changes nothing; after a run that was cut off it stores what is missing.
 *
 * @param onStored told the number of passages of each batch once it is durable
 */
export async function* ingest(
  documents: AsyncIterable<SourceDocument> | Iterable<SourceDocument>,
  store: PassageStore,
  course: string,
  onStored: (passages: number) => void = () => undefined,
): AsyncGenerator<DocumentReport> {
  const running = new Set<Promise<DocumentReport>>();
  const sources = new Set<string>();
  const next = async (): Promise<DocumentReport> => {
    const [done, report] = await Promise.race([...running].map(async (one) => [one, await one] as const));
    running.delete(done);
    return report;
  };
  for await (const document of documents) {
    const source = sourceOf(document.path);
    if (sources.has(source)) {
      // Two versions of one document would remove each other's passages.
      yield { path: document.path, chunks: 0, status: 'failed', error: `${source} was given twice` };
      continue;
    }
    sources.add(source);
    running.add(ingestOne(document, { course, source }, store, onStored));
    if (running.size >= CONCURRENCY) yield await next();
  }
  while (running.size > 0) yield await next();
}

async function ingestOne(
  document: SourceDocument,
  key: DocumentKey,
  store: PassageStore,
  onStored: (passages: number) => void,
): Promise<DocumentReport> {
  const { path } = document;
  let passages: readonly StoredPassage[] = [];
  try {
    passages = passagesOf(document, key);
    const [first] = passages;
    if (first === undefined) {
      const error = 'the document holds no text';
      return { path, chunks: 0, status: 'failed', error, removed: await removeAll(key, store) };
    }
    const isWhole = ({ all, current }: Stored) => all === passages.length && current === passages.length;
    const count = () => store.count(key, first.documentHash);

    const before = await count();
    if (isWhole(before)) return { path, chunks: passages.length, status: 'unchanged' };
    let stored = before;
    let attempts = 0;
    const attempt = async () => {
      attempts += 1;
      await replace(stored, first, passages, key, store, onStored);
      stored = await count();
      if (!isWhole(stored)) throw new Disturbed();
    };
    // Two that go on in step would remove each other's passages each time; the waits between attempts differ.
    await retry(attempt, {
      deadlineMs: Number.POSITIVE_INFINITY,
      isTransient: (error) => error instanceof Disturbed && attempts < ATTEMPTS,
    });
    return { path, chunks: passages.length, status: before.all === 0 ? 'new' : 'updated' };
  } catch (error) {
    return {
      path,
      chunks: passages.length,
      status: 'failed',
      error: error instanceof Error ? error.message : String(error),
    };
  }
}

/** Another ingestion of the document, or its removal, took away what this one stored, or left what it did not see. */
class Disturbed extends Error {
  constructor() {
    super(
      'another ingestion or removal changes this document at the same time; run the command again when that has ended',
    );
  }
}

type Stored = Awaited<ReturnType<PassageStore['count']>>;

/** Takes away what a document held before, since nothing of it is true any more; gives the number of passages. */
async function removeAll(key: DocumentKey, store: PassageStore): Promise<number> {
  const ofNoVersion = hashOf();
  const { all } = await store.count(key, ofNoVersion);
  if (all > 0) await store.removeOthers(key, ofNoVersion);
  return all;
}

/** Adds what is missing of a document, and takes away what is not of this version. */
async function replace(
  before: Stored,
  { documentHash, title }: StoredPassage,
  passages: readonly StoredPassage[],
  key: DocumentKey,
  store: PassageStore,
  onStored: (passages: number) => void,
): Promise<void> {
  const kept = before.all === 0 ? new Set<string>() : await store.idsOf(key, title);
  const missing = passages.filter(({ id }) => !kept.has(id));
  for (let start = 0; start < missing.length; start += BATCH) {
    const batch = missing.slice(start, start + BATCH);
    await store.put(batch);
    onStored(batch.length);
  }
  if (before.all === 0) return;
  // Only now: a reader finds the old version until the new one is complete.
  const same = passages.flatMap(({ id }) => (kept.has(id) ? [id] : []));
  // What was not made part of this version would be removed as stale.
  if (!(await store.adopt(same, documentHash))) throw new Disturbed();
  await store.removeOthers(key, documentHash);
}

/** The passages of a document. The same document gives the same passages, byte for byte, on any machine. */
export function passagesOf(document: SourceDocument, { course, source }: DocumentKey): readonly StoredPassage[] {
  const parsed = parse(document, source);
  const { title } = parsed;
  const chunks = chunkDocument(parsed);
  const documentHash = hashOf(
    String(CHUNKING_VERSION),
    title,
    ...chunks.flatMap(({ heading, text }) => [heading, text]),
  );
  const passages = new Map<string, StoredPassage>();
  for (const { heading, text, position } of chunks) {
    const contentHash = hashOf(heading, text);
    const id = passageId(course, source, position, contentHash);
    // The same pair of question and answer twice is one passage.
    passages.set(id, { id, text, source, title, heading, course, contentHash, documentHash, chunk: position });
  }
  return [...passages.values()];
}

function parse(document: SourceDocument, source: string): ParsedDocument {
  if ('parsed' in document) return mapTexts(document.parsed, cleanText);
  const parser = PARSERS[posix.extname(source).toLowerCase()];
  if (!parser) throw new Error(`the format is not supported; supported are ${TEXT_FORMATS.join(', ')}`);
  return parser(cleanText(document.content), posix.basename(source));
}

/** The name of a document from its path as seen from the current folder: the same on each system, and no way out of it. */
export function sourceOf(path: string): string {
  const source = posix
    .normalize(path.replaceAll('\\', '/'))
    .replace(/^(\.\.?\/)+/, '')
    .replace(/^\/+/, '');
  return source.normalize('NFC');
}
