import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../apps/bundle.js';
import { decodeText } from '../documents/decode.js';
import { collectDocuments } from '../operator/documents.js';
import type { SourceDocument } from '../rag/ingest/ingest.js';

/** The course that comes with ragdock: sundials, in Russian and in English. */
export const DEMO_COURSE = 'sundials';

/** What is asked when the demo course is shown. */
export const DEMO_QUESTION = 'Почему солнечные часы и обычные показывают разное время?';

const LANGUAGES = ['ru', 'en'];

/** The documents of the demo course, named by language and file. */
export function demoDocuments(): readonly SourceDocument[] {
  const files = collectDocuments(LANGUAGES, join(packageRoot(), 'docs/demo-course'));
  return files.map(({ file, path }) => ({ path, content: decodeText(readFileSync(file)) }));
}
