import { join } from 'node:path';
import { packageRoot } from '../apps/bundle.js';
import { collectDocuments, readDocument } from '../operator/documents.js';
import type { SourceDocument } from '../rag/ingest/ingest.js';

/** The course that comes with ragdock: sundials, in Russian and in English. */
export const DEMO_COURSE = 'sundials';

/** What is asked when the demo course is shown. */
export const DEMO_QUESTION = 'Почему солнечные часы и обычные показывают разное время?';

const LANGUAGES = ['ru', 'en'];

/** The documents of the demo course, named by language and file. */
export function demoDocuments(): readonly SourceDocument[] {
  return collectDocuments(LANGUAGES, join(packageRoot(), 'docs/demo-course')).map(readDocument);
}
