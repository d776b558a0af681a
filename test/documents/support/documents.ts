import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Extraction, extractDocument } from '../../../src/documents/extract.js';
import { type Chunk, chunkDocument } from '../../../src/rag/ingest/chunk.js';
import { ROOT } from '../../support/environments.js';
import { temporaryFolder } from '../../support/folder.js';

export const fixture = (name: string): Buffer => readFileSync(join(ROOT, 'test/documents/fixtures', name));

/** What is read of a file with this name and content. */
export async function extract(path: string, content: string | Uint8Array): Promise<Extraction> {
  const file = join(temporaryFolder(), basename(path));
  writeFileSync(file, content);
  return extractDocument({ file, path });
}

/** Passages of a file of the fixtures, or of a content, as heading and text. */
export async function passages(path: string, content: string | Uint8Array = fixture(path)): Promise<readonly Chunk[]> {
  const { document, problems } = await extract(path, content);
  if (!document || !('parsed' in document)) throw new Error(JSON.stringify(problems));
  return chunkDocument(document.parsed);
}
