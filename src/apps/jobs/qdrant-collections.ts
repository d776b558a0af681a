import type { Credential } from '../../rag/ports.js';
import type { CollectionSettings } from '../../rag/retrieval/collection-settings.js';
import { checkLangChainCollection } from '../../rag/retrieval/langchain-collection.js';
import { CollectionMismatch, ensureCollection } from '../../rag/retrieval/qdrant-collection.js';
import { QdrantError, QdrantHttp } from '../../rag/retrieval/qdrant-http.js';
import { retry } from '../../rag/retry.js';
import { FileCredential } from '../secret-file.js';
import { readSettings, readVariables } from '../settings-file.js';
import { JobFailure, type Report } from './job.js';
import { JOB_SETTINGS_VARIABLE, QDRANT_COLLECTIONS_VARIABLES, QdrantCollectionsSettings } from './settings.js';

/** The command `job-qdrant-collections`. */
export async function runQdrantCollections(environment: NodeJS.ProcessEnv, report: Report): Promise<void> {
  const { settings, qdrantUrl, qdrantKeyFile } = readVariables(
    environment,
    { settings: JOB_SETTINGS_VARIABLE, ...QDRANT_COLLECTIONS_VARIABLES },
    { settings: 'path', qdrantUrl: 'http-url', qdrantKeyFile: 'path' },
  );
  const credential = await FileCredential.open(qdrantKeyFile);
  await prepareCollections(readSettings(settings, QdrantCollectionsSettings), qdrantUrl, credential, report);
}

/** Makes the collections that are not there, and refuses those that were made otherwise, all of them at once. */
export async function prepareCollections(
  settings: QdrantCollectionsSettings,
  url: string,
  credential: Credential,
  report: Report,
): Promise<void> {
  const http = new QdrantHttp(url, credential);
  const mismatches: CollectionMismatch[] = [];
  try {
    for (const collection of settings.collections) {
      const { name } = collection;
      try {
        const result = await retry(() => prepare(http, collection), {
          deadlineMs: settings.deadlineSeconds * 1000,
          isTransient: (error) => error instanceof QdrantError && error.transient,
          onRetry: (error) => report(`waiting for Qdrant: ${(error as Error).message}`),
        });
        report(`collection ${name}: ${result}`);
      } catch (error) {
        if (error instanceof QdrantError) throw new JobFailure(error.message, { cause: error });
        if (!(error instanceof CollectionMismatch)) throw error;
        mismatches.push(error);
      }
    }
  } finally {
    await http.close();
  }
  if (mismatches.length > 0) {
    throw new JobFailure(
      `${mismatches.map(({ message }) => message).join(' | ')}; name another collection in the environment file, or ` +
        'delete this one and ingest its documents again',
    );
  }
}

/** What somebody else filled is looked at, and neither made nor changed. */
async function prepare(http: QdrantHttp, collection: CollectionSettings): Promise<string> {
  const { name, layout, embedding } = collection;
  if (layout !== 'langchain') return ensureCollection(http, name, collection);
  await checkLangChainCollection(http, name, embedding?.dimension);
  return "LangChain's";
}
