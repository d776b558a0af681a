import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { codeOf } from '../../../src/rag/failure.js';
import { saigaIn } from '../../deploy/support/stacks.js';
import { opensChat, readerStays } from './chat-session.js';
import type { Drill } from './drill.js';
import { type Opens, opensHttp, opensPostgres } from './opens.js';
import { opensWebhook, webhookUrl } from './webhook.js';

/** The services guide's stack, with the exporter of PostgreSQL and Alertmanager switched on. */
export const saiga = saigaIn(inject('project'), ['alertmanager', 'postgres-exporter']);

/** The analyst comes from the host, with the value that this machine has stored. */
const opensForAnalyst: Opens = async (version) => {
  const password = readFileSync(join(saiga.project.secretsFolder, `postgres-analyst-password.v${version}`), 'utf8');
  const client = new pg.Client({ host: '127.0.0.1', port: 5432, user: 'analyst', database: 'ml_db', password });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    if (codeOf(error) === '28P01') return false;
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
};

/**
 * Every secret that saiga has and dev has not, and those of the web bot: here many answers fit beside a deploy. Without
 * a drill are grafana-secret-key, which stays, and the token of a download (`llm-<name>-model-token`): a job alone reads
 * it, and it opens the hub of Hugging Face, which is not here.
 */
export const SAIGA_DRILLS: readonly Drill[] = [
  {
    deployment: saiga,
    secret: 'rag-api-web-bot-key',
    opens: opensHttp(
      saiga,
      'rag-api-web-bot-key',
      { network: 'web-bot--rag-api', holder: 'web-bot' },
      {
        service: 'rag-api',
        port: 8000,
        path: '/exchanges/00000000-0000-4000-8000-000000000000',
        header: 'bearer',
      },
    ),
    replaced: [],
  },
  {
    deployment: saiga,
    secret: 'web-bot-session-key',
    opens: opensChat(saiga),
    overlaps: true,
    stays: () => readerStays(saiga),
    replaced: [],
  },
  {
    deployment: saiga,
    secret: 'postgres-agent-exporter-password',
    opens: opensPostgres(saiga, 'postgres-agent-exporter-password', 'agent_exporter_*', {
      network: 'agent-exporter--postgres',
      holder: 'agent-exporter',
    }),
    replaced: [],
  },
  {
    deployment: saiga,
    secret: 'postgres-postgres-exporter-password',
    opens: opensPostgres(saiga, 'postgres-postgres-exporter-password', 'postgres_exporter_*', {
      network: 'postgres-exporter--postgres',
      holder: 'postgres-exporter',
      uid: 65_534,
    }),
    replaced: [],
  },
  { deployment: saiga, secret: 'postgres-analyst-password', opens: opensForAnalyst, replaced: [] },
  {
    deployment: saiga,
    secret: 'grafana-admin-password',
    opens: opensHttp(
      saiga,
      'grafana-admin-password',
      { network: 'grafana-admin--grafana', holder: 'grafana-admin' },
      { service: 'grafana', port: 3000, path: '/api/user', header: 'basic-admin' },
    ),
    replaced: ['grafana'],
  },
  {
    deployment: saiga,
    secret: 'alertmanager-webhook-token',
    opens: opensWebhook(saiga),
    replaced: ['alertmanager'],
  },
  {
    deployment: saiga,
    secret: 'embeddings-api-key',
    opens: opensHttp(
      saiga,
      'embeddings-api-key',
      { network: 'prometheus--embeddings', holder: 'embeddings' },
      { service: 'embeddings', port: 8080, path: '/info', header: 'bearer' },
    ),
    replaced: ['embeddings'],
    meanwhile: { degraded: ['embeddings'] },
  },
  {
    deployment: saiga,
    secret: 'llm-saiga-api-key',
    opens: opensHttp(
      saiga,
      'llm-saiga-api-key',
      { network: 'rag-api--llm-saiga', holder: 'rag-api' },
      { service: 'llm-saiga', port: 8010, path: '/v1/models', header: 'bearer' },
    ),
    replaced: ['llm-saiga'],
    meanwhile: { refusals: /^503 LLM_(UNAVAILABLE|BUSY)$/, breaks: true },
  },
];

export function prepareSaiga(): void {
  saiga.project.setSetting(['services', 'postgresExporter', 'enabled'], true);
  saiga.project.setSetting(['services', 'prometheus', 'alerts'], true);
  saiga.project.setSetting(['services', 'alertmanager'], {
    enabled: true,
    webhook: { url: webhookUrl(), token: true },
  });
}
