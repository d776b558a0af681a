import { posix } from 'node:path';
import { cleanText } from '../normalise.js';
import type { DocumentKey, PassageStore, StoredPassage } from '../ports.js';
import { CHUNKING_VERSION, chunkDocument } from './chunk.js';
import { hashOf, passageId } from './identity.js';
import { type ParsedDocument, parseMarkdown, parseText } from './sections.js';

/** Passages in one request. The server computes their terms while the request waits. */
const BATCH = 32;

/** Documents on their way at once. */
const CONCURRENCY = 4;

export interface SourceDocument {
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
}

/** Formats by ending. */
const PARSERS: Readonly<Record<string, (content: string, fallback: string) => ParsedDocument>> = {
  '.md': parseMarkdown,
  '.markdown': parseMarkdown,
  '.txt': parseText,
};

/** Endings of the files that can be ingested. */
export const FORMATS: readonly string[] = Object.keys(PARSERS);

/**
 * Brings documents into a store and reports on each as it is done, in no particular order. One that cannot be read
 * or stored is reported as failed and does not stop the others. Running it again changes nothing.
 */
export async function* ingest(
  documents: AsyncIterable<SourceDocument> | Iterable<SourceDocument>,
  store: PassageStore,
  course: string,
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
    running.add(ingestOne(document, { course, source }, store));
    if (running.size >= CONCURRENCY) yield await next();
  }
  while (running.size > 0) yield await next();
}

async function ingestOne(document: SourceDocument, key: DocumentKey, store: PassageStore): Promise<DocumentReport> {
  const { path } = document;
  let passages: readonly StoredPassage[] = [];
  try {
    passages = passagesOf(document, key);
    const documentHash = passages[0]?.documentHash;
    if (documentHash === undefined) throw new Error('the document holds no text');

    const before = await store.count(key, documentHash);
    if (before.all === passages.length && before.current === passages.length) {
      return { path, chunks: passages.length, status: 'unchanged' };
    }
    for (let start = 0; start < passages.length; start += BATCH) await store.put(passages.slice(start, start + BATCH));
    // Only now: a reader finds the old version until the new one is complete.
    if (before.all > 0) await store.removeOthers(key, documentHash);
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

/** The passages of a document. The same document gives the same passages, byte for byte, on any machine. */
export function passagesOf(document: SourceDocument, { course, source }: DocumentKey): readonly StoredPassage[] {
  const parse = PARSERS[posix.extname(source).toLowerCase()];
  if (!parse) throw new Error(`the format is not supported; supported are ${FORMATS.join(', ')}`);
  const parsed = parse(cleanText(document.content), posix.basename(source));
  const { title } = parsed;
  const chunks = chunkDocument(parsed);
  const documentHash = hashOf(
    String(CHUNKING_VERSION),
    title,
    ...chunks.flatMap(({ heading, text }) => [heading, text]),
  );
  return chunks.map(({ heading, text }, chunk) => {
    const contentHash = hashOf(heading, text);
    const id = passageId(course, source, chunk, contentHash);
    return { id, text, source, title, heading, course, contentHash, documentHash, chunk };
  });
}

function sourceOf(path: string): string {
  const source = posix
    .normalize(path.replaceAll('\\', '/'))
    .replace(/^(\.\.?\/)+/, '')
    .replace(/^\/+/, '');
  return source.normalize('NFC');
}
