import { afterAll, beforeAll, describe, inject } from 'vitest';
import { answerShortly, devIn } from '../deploy/support/dev.js';
import { type Drill, rotates } from './support/drill.js';
import { opensHttp, opensPostgres } from './support/opens.js';
import { partOf } from './support/part.js';
import { bringUp, targetOf } from './support/stack.js';

// Every secret of dev is rotated while questions are asked.

const dev = devIn(inject('project'), inject('modelFile'));
const API = { network: 'rag-api--qdrant', holder: 'rag-api' } as const;

const DRILLS: readonly Omit<Drill, 'deployment'>[] = [
  {
    secret: 'rag-api-key',
    opens: opensHttp(
      dev,
      'rag-api-key',
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
    secret: 'postgres-rag-api-password',
    opens: opensPostgres(dev, 'postgres-rag-api-password', 'rag_api_*', {
      network: 'rag-api--postgres',
      holder: 'rag-api',
    }),
    replaced: [],
  },
  {
    secret: 'postgres-superuser-password',
    opens: opensPostgres(dev, 'postgres-superuser-password', 'postgres', {
      network: 'postgres-roles--postgres',
      holder: 'postgres-roles',
    }),
    replaced: [],
  },
  {
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
    meanwhile: { refusals: /^(503 LLM_(UNAVAILABLE|BUSY)|502 LLM_FAILED)$/, breaks: true },
  },
];

const drills = partOf(DRILLS);

describe.runIf(drills.length > 0)('the secrets of dev', () => {
  beforeAll(async () => {
    answerShortly(dev.project);
    await bringUp(dev, { apiPort: 8093, keyOverlapSeconds: 30 });
  });
  afterAll(() => process.env.RAGDOCK_KEEP_STACK || dev.project.destroy());

  for (const drill of drills) rotates({ deployment: dev, ...drill }, () => targetOf(dev, 8093));
});
