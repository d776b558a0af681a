import { PostgresHistory } from '../../rag/history/postgres.js';
import { OpenAiLlm } from '../../rag/llm/openai.js';
import { QdrantRetrieval } from '../../rag/retrieval/qdrant.js';
import { QdrantLearned } from '../../rag/retrieval/qdrant-learned.js';
import { openEmbedder } from '../embedder.js';
import { loginsAt } from '../postgres-logins.js';
import { AcceptedSecrets, FileCredential, newest } from '../secret-file.js';
import { readSettings, readVariables } from '../settings-file.js';
import { buildApp } from './app.js';
import { loggerOptions } from './logger.js';
import { serveMetrics } from './metrics-server.js';
import { KEY_OVERLAP_SECONDS, LONGEST_SHUTDOWN_SECONDS, RAG_API_VARIABLES, RagApiSettings } from './settings.js';

/** Longest wait for a question's vector, in milliseconds; without it the words alone are searched. */
const EMBED_TIMEOUT_MS = 2000;

/** How often what was left undone is looked for, in milliseconds: exchanges without an end, feedback to follow. */
const SWEEP_INTERVAL_MS = 60_000;

/** Runs the API until SIGTERM or SIGINT; resolves when the last answer is saved. Throws before it listens. */
export async function runRagApi(environment: NodeJS.ProcessEnv): Promise<void> {
  const variables = readVariables(environment, RAG_API_VARIABLES, {
    settings: 'path',
    apiKeyFile: 'path',
    webBotKeyFile: 'optional-path',
    qdrantUrl: 'http-url',
    qdrantKeyFile: 'path',
    llmUrl: 'http-url',
    llmKeyFile: 'optional-path',
    embeddingsUrl: 'optional-http-url',
    embeddingsKeyFile: 'optional-path',
    postgresUrl: 'postgres-url',
    postgresPasswordFile: 'path',
  });
  const settings = readSettings(variables.settings, RagApiSettings);
  const { limits, listen, keyOverlapSeconds = KEY_OVERLAP_SECONDS } = settings;
  const { webBotKeyFile } = variables;
  // A key that is missing is found now and not by the first question.
  await Promise.all(
    [variables.apiKeyFile, variables.postgresPasswordFile, ...(webBotKeyFile ? [webBotKeyFile] : [])].map((file) =>
      newest(file),
    ),
  );

  const llm = new OpenAiLlm({
    url: variables.llmUrl,
    model: settings.llm.model,
    credential: variables.llmKeyFile ? await FileCredential.open(variables.llmKeyFile) : undefined,
    sampling: settings.llm.sampling,
    firstTokenMs: limits.firstTokenSeconds * 1000,
    idleMs: limits.idleSeconds * 1000,
  });
  const qdrantKey = await FileCredential.open(variables.qdrantKeyFile);
  const embedder = await openEmbedder(settings.embeddings, {
    url: variables.embeddingsUrl,
    keyFile: variables.embeddingsKeyFile,
    timeoutMs: EMBED_TIMEOUT_MS,
  });
  const retrieval = new QdrantRetrieval(variables.qdrantUrl, qdrantKey, settings.collections, embedder);
  const learned = new QdrantLearned({
    url: variables.qdrantUrl,
    credential: qdrantKey,
    collections: settings.collections,
    into: settings.history.fromFeedback,
    embedder,
  });
  const history = new PostgresHistory({
    url: variables.postgresUrl,
    logins: () => loginsAt(variables.postgresUrl, variables.postgresPasswordFile),
    onIdleError: (error) => app.log.warn({ err: error }, 'an idle connection to PostgreSQL broke'),
  });
  const apiKeys = new AcceptedSecrets(variables.apiKeyFile, keyOverlapSeconds * 1000);
  const webBotKeys = webBotKeyFile ? new AcceptedSecrets(webBotKeyFile, keyOverlapSeconds * 1000) : undefined;
  const { app, metrics, followFeedback, stop } = buildApp({
    settings,
    retrieval,
    learned,
    history,
    llm,
    apiKeys: {
      api: () => apiKeys.read(),
      webBot: webBotKeys && (() => webBotKeys.read()),
    },
    logger: loggerOptions(environment.LOG_LEVEL),
  });

  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    // Once: a second signal ends the process the hard way.
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  await app.listen({ host: '0.0.0.0', port: listen.port });
  const metricsServer = await serveMetrics(metrics.registry, listen.metricsPort, app.log);
  const sweep = setInterval(() => {
    // Twice the longest answer: what is still running then lost its process.
    history.abandon(limits.totalSeconds * 2).then(
      (count) => count > 0 && app.log.warn({ count }, 'exchanges without an end were marked as aborted'),
      (error: unknown) => app.log.debug({ err: error }, 'exchanges without an end could not be looked for'),
    );
    void followFeedback();
  }, SWEEP_INTERVAL_MS);
  app.log.info({ port: listen.port, metricsPort: listen.metricsPort, model: settings.llm.model }, 'listening');

  app.log.info({ signal: await stopped }, 'stopping');
  clearInterval(sweep);
  await stop(Math.min(limits.totalSeconds, LONGEST_SHUTDOWN_SECONDS) * 1000);
  metricsServer.close();
  metricsServer.closeAllConnections();
  await Promise.all([history.close(), retrieval.close(), learned.close(), llm.close(), embedder?.close()]);
  app.log.info('stopped');
}
