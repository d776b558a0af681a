import Fastify, { LogController } from 'fastify';
import { readActivity, readCounts } from '../../rag/history/numbers.js';
import { loginsAt } from '../postgres-logins.js';
import { loggerOptions } from '../rag-api/logger.js';
import { answerMetrics } from '../rag-api/metrics-server.js';
import { newest } from '../secret-file.js';
import { readSettings, readVariables } from '../settings-file.js';
import { watchSilentConnections } from '../silent-connections.js';
import { agentMetrics } from './metrics.js';
import { NumbersDatabase } from './postgres.js';
import { readPoints } from './qdrant.js';
import { Reading } from './reading.js';
import { AGENT_EXPORTER_VARIABLES, AgentExporterSettings } from './settings.js';

/** As often as Prometheus asks by default, in milliseconds: some short rows, and one page of metrics. */
const INTERVAL_MS = 15_000;

/** What reads the rows of a week is read more rarely, in milliseconds. */
const ACTIVITY_INTERVAL_MS = 60_000;

const REQUEST_TIMEOUT_MS = 15_000;

/** Runs the exporter until SIGTERM or SIGINT. Throws before it listens; a source that is down does not end it. */
export async function runAgentExporter(environment: NodeJS.ProcessEnv): Promise<void> {
  const variables = readVariables(environment, AGENT_EXPORTER_VARIABLES, {
    settings: 'path',
    postgresUrl: 'postgres-url',
    postgresPasswordFile: 'path',
    qdrantMetricsUrl: 'http-url',
  });
  const settings = readSettings(variables.settings, AgentExporterSettings);
  // A password that is missing is found now and not as a database that is down.
  await newest(variables.postgresPasswordFile);

  const app = Fastify({
    logger: loggerOptions(environment.LOG_LEVEL),
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
  });
  const endSilentConnections = watchSilentConnections(app.server);
  const database = new NumbersDatabase({
    url: variables.postgresUrl,
    logins: () => loginsAt(variables.postgresUrl, variables.postgresPasswordFile),
  });
  const reading = <T>(source: string, intervalMs: number, read: () => Promise<T>) =>
    new Reading({
      source,
      intervalMs,
      read,
      onFailure: (error) => app.log.warn({ source, err: error }, 'a source cannot be read'),
      onRecovery: () => app.log.info({ source }, 'a source can be read again'),
    });
  const counts = reading('counts', INTERVAL_MS, () => database.read(readCounts));
  const activity = reading('activity', ACTIVITY_INTERVAL_MS, () => database.read(readActivity));
  const points = reading('qdrant', INTERVAL_MS, () => readPoints(variables.qdrantMetricsUrl));
  const { courses, collections } = settings;
  const registry = agentMetrics({ counts, activity, points, courses, collections });

  app.get('/metrics', (_request, reply) => {
    reply.hijack();
    return answerMetrics(registry, reply.raw, app.log);
  });
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    // Once: a second signal ends the process the hard way.
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  for (const source of [counts, activity, points]) void source.start();
  await app.listen({ host: '0.0.0.0', port: settings.listen.port });

  app.log.info({ signal: await stopped }, 'stopping');
  endSilentConnections();
  await app.close();
  await Promise.all([counts.stop(), activity.stop(), points.stop()]);
  app.log.info('stopped');
}
