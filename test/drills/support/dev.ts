import { inject } from 'vitest';
import { answerShortly, devIn } from '../../deploy/support/dev.js';
import type { Drill } from './drill.js';
import { opensHttp, opensPostgres } from './opens.js';

export const dev = devIn(inject('project'), inject('modelFile'));
const API = { network: 'rag-api--qdrant', holder: 'rag-api' } as const;

/** Every secret of dev but those of the web bot, which saiga has as well. */
export const DEV_DRILLS: readonly Drill[] = [
  {
    deployment: dev,
    secret: 'rag-api-key',
    opens: opensHttp(
      dev,
      'rag-api-key',
      { network: 'web-bot--rag-api', holder: 'rag-api' },
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
    deployment: dev,
    secret: 'postgres-rag-api-password',
    opens: opensPostgres(dev, 'postgres-rag-api-password', 'rag_api_*', {
      network: 'rag-api--postgres',
      holder: 'rag-api',
    }),
    replaced: [],
    cutAfter: 'postgres-roles',
  },
  {
    deployment: dev,
    secret: 'postgres-superuser-password',
    opens: opensPostgres(dev, 'postgres-superuser-password', 'postgres', {
      network: 'postgres-roles--postgres',
      holder: 'postgres-roles',
    }),
    replaced: [],
  },
  {
    deployment: dev,
    secret: 'qdrant-api-key',
    opens: opensHttp(dev, 'qdrant-api-key', API, {
      service: 'qdrant',
      port: 6333,
      path: '/collections',
      header: 'api-key',
    }),
    replaced: ['qdrant'],
    meanwhile: { degraded: ['retrieval'], refusals: /^503 RETRIEVAL_UNAVAILABLE$/ },
  },
  {
    deployment: dev,
    secret: 'llm-main-api-key',
    opens: opensHttp(
      dev,
      'llm-main-api-key',
      { network: 'rag-api--llm-main', holder: 'rag-api' },
      {
        service: 'llm-main',
        port: 8080,
        path: '/v1/models',
        header: 'bearer',
      },
    ),
    replaced: ['llm-main'],
    meanwhile: { refusals: /^503 LLM_(UNAVAILABLE|BUSY)$/, breaks: true },
  },
];

/** Short answers, so that many fit beside a deploy. */
export const prepareDev = (): void => answerShortly(dev.project);
