import { describe, expect, test } from 'vitest';
import { SecretRef } from '../../../constructs/model/index.js';
import { RagApi, type RagApiProps } from '../../../constructs/services/index.js';
import { RAG_API_VARIABLES, RagApiSettings } from '../../../src/apps/rag-api/settings.js';
import { synthesiseWorkloads } from '../../support/synth.js';
import { aService } from '../../support/workloads.js';

const settings: RagApiProps['settings'] = {
  collections: [{ name: 'BD_curs_data', language: 'russian', limit: 3 }],
  courses: ['demo'],
  noContext: 'refuse',
  llm: {
    model: 'SmolLM2',
    contextTokens: 2048,
    systemPrompt: 'Ты - ассистент',
    sampling: { temperature: 0.7, topP: 0.9, presencePenalty: 0, frequencyPenalty: 0, maxTokens: 200 },
  },
  limits: { messageCharacters: 4000, concurrentStreams: 8, firstTokenSeconds: 60, idleSeconds: 60, totalSeconds: 300 },
};

const synth = (
  props: Partial<RagApiProps> = {},
  versions: Record<string, { version: number }> = {},
  { bot = false, embeddings = false } = {},
) =>
  synthesiseWorkloads(
    (stack) => {
      const server = (id: string, scheme: 'http' | 'postgresql') =>
        aService(stack, id).expose(scheme, { scheme, port: 1000, credential: new SecretRef(`${id}-key`, 'a test') });
      const api = new RagApi(stack, 'rag-api', {
        settings,
        retrieval: server('qdrant', 'http'),
        llm: server('llm', 'http'),
        history: server('postgres', 'postgresql'),
        ...(embeddings ? { embeddings: server('embeddings', 'http') } : {}),
        ...props,
      });
      if (bot) aService(stack, 'bot').connectTo(api.forWebBot, { credential: 'KEY_FILE', rereads: true });
    },
    Object.keys(versions).length === 0 ? {} : { secrets: versions },
  );

test('is told where its three servers are, and the files of four keys without their versions', () => {
  expect(synth().container('rag-api').env).toEqual([
    'API_KEY_FILE=/run/secrets/rag-api-key',
    'LLM_API_KEY_FILE=/run/secrets/llm-key',
    'LLM_URL=http://test-llm:1000',
    'NODE_ENV=production',
    'POSTGRES_PASSWORD_FILE=/run/secrets/postgres-key',
    'POSTGRES_URL=postgresql://test-postgres:1000',
    'QDRANT_API_KEY_FILE=/run/secrets/qdrant-key',
    'QDRANT_URL=http://test-qdrant:1000',
    'RAGDOCK_SETTINGS=/etc/ragdock/settings.json',
  ]);
});

test('every variable that the app reads is set', () => {
  const names = (synth({}, {}, { bot: true, embeddings: true }).container('rag-api').env as string[]).map(
    (entry) => entry.split('=')[0],
  );

  expect(names).toEqual(expect.arrayContaining(Object.values(RAG_API_VARIABLES)));
});

test('gets its settings as a file that the app’s own schema accepts', () => {
  const written = JSON.parse(synth().files('rag-api_files')['/ragdock/etc-ragdock/settings.json'] ?? '');

  expect(RagApiSettings.parse(written)).toMatchObject({ ...settings, listen: { port: 8000, metricsPort: 9091 } });
});

describe('a new version of any of its keys', () => {
  const versions = (version: number) =>
    Object.fromEntries(['llm-key', 'postgres-key', 'qdrant-key', 'rag-api-key'].map((name) => [name, { version }]));

  test('reaches it while it runs', () => {
    const [before, after] = [synth({}, versions(1)), synth({}, versions(2))];

    expect(after.container('rag-api')).toEqual(before.container('rag-api'));
    expect(Object.keys(after.files('rag-api_files'))).toContain('/ragdock/secrets/rag-api-key.v2');
  });
});

test('finishes running answers, a minute at most', () => {
  const grace = (totalSeconds: number) =>
    synth({ settings: { ...settings, limits: { ...settings.limits, totalSeconds } } }).container('rag-api')
      .stop_timeout;

  expect(grace(20)).toBe(30);
  expect(grace(300)).toBe(70);
});

test('runs the bundled image, or another one with the same contract', () => {
  expect(synth().container('rag-api')).toMatchObject({
    image: '${docker_image.bundled-apps.image_id}',
    command: ['rag-api'],
    user: '1000:1000',
    healthcheck: { test: ['CMD', 'node', '/app/health.mjs', 'http://127.0.0.1:8000/readyz'] },
  });
  expect(synth({ image: 'registry.example/apps:1' }).container('rag-api')).toMatchObject({
    image: '${docker_image.registry-example-apps-1.image_id}',
    command: ['rag-api'],
  });
});

test('has a key for the web bot alone, and only where there is one', () => {
  expect(synth().container('rag-api').env).not.toContainEqual(expect.stringContaining('WEB_BOT_KEY_FILE'));
  const { container } = synth({}, {}, { bot: true, embeddings: true });
  expect(container('rag-api').env).toContain('WEB_BOT_KEY_FILE=/run/secrets/rag-api-web-bot-key');
  expect(container('bot').env).toContain('KEY_FILE=/run/secrets/rag-api-web-bot-key');
});
