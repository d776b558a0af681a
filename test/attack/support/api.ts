// The RAG API as a process: its own code, a real database, a model server and retrieval that the tests script.
import { readFileSync } from 'node:fs';
import { buildApp } from '../../../src/apps/rag-api/app.js';
import { loggerOptions } from '../../../src/apps/rag-api/logger.js';
import type { RagApiSettings } from '../../../src/apps/rag-api/settings.js';
import { PostgresHistory } from '../../../src/rag/history/postgres.js';
import { OpenAiLlm } from '../../../src/rag/llm/openai.js';
import { MemoryRetrieval, passage } from '../../support/rag-parts.js';

/** What the process is told, as a file of JSON. */
export interface ApiPlan {
  readonly settings: RagApiSettings;
  readonly postgresUrl: string;
  readonly postgresPassword: string;
  readonly llmUrl: string;
  readonly key: string;
  readonly webBotKey: string;
}

const plan = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ApiPlan;
const { settings } = plan;
const { app } = buildApp({
  settings,
  retrieval: new MemoryRetrieval(passage()),
  history: new PostgresHistory({
    url: plan.postgresUrl,
    logins: async () => [
      { user: decodeURIComponent(new URL(plan.postgresUrl).username), password: plan.postgresPassword },
    ],
    onIdleError: () => undefined,
  }),
  llm: new OpenAiLlm({
    url: plan.llmUrl,
    model: settings.llm.model,
    sampling: settings.llm.sampling,
    firstTokenMs: settings.limits.firstTokenSeconds * 1000,
    idleMs: settings.limits.idleSeconds * 1000,
  }),
  apiKeys: { api: async () => [plan.key], webBot: async () => [plan.webBotKey] },
  logger: { ...loggerOptions('error'), stream: process.stderr },
});
await app.listen({ host: '127.0.0.1', port: 0 });
const address = app.server.address();
process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
