import { describe, expect, test } from 'vitest';
import { SecretRef } from '../../../constructs/model/index.js';
import { WebBot, type WebBotProps } from '../../../constructs/services/index.js';
import { WEB_BOT_VARIABLES, WebBotSettings } from '../../../src/apps/web-bot/settings.js';
import { synthesiseWorkloads } from '../../support/synth.js';
import { aService } from '../../support/workloads.js';

const settings = {
  courses: ['demo'],
  messageCharacters: 4000,
  api: { firstTokenSeconds: 60, idleSeconds: 60, totalSeconds: 300 },
};

/** A stack with a web bot, published on `address` if there is one. */
const withBot = (address?: string, props: Pick<WebBotProps, 'hosts' | 'containerName'> = {}) =>
  synthesiseWorkloads((stack) => {
    const api = aService(stack, 'rag-api').expose('http', {
      scheme: 'http',
      port: 8000,
      credential: new SecretRef('rag-api-key', 'a test'),
    });
    const bot = new WebBot(stack, 'web-bot', { api, settings, ...props });
    if (address !== undefined) bot.publish(bot.http, { port: 8080, address });
  });
const settingsIn = ({ files }: ReturnType<typeof withBot>) =>
  WebBotSettings.parse(JSON.parse(files('web-bot_files')['/ragdock/etc-ragdock/settings.json'] ?? ''));
const { container, files } = withBot();

test('knows the API’s address and where its key is', () => {
  expect(container('web-bot').env).toEqual([
    'NODE_ENV=production',
    'RAGDOCK_SETTINGS=/etc/ragdock/settings.json',
    'RAG_API_KEY_FILE=/run/secrets/rag-api-key',
    'RAG_API_URL=http://test-rag-api:8000',
    'SESSION_KEY_FILE=/run/secrets/web-bot-session-key',
  ]);
});

test('every variable that the app reads is set', () => {
  const names = (container('web-bot').env as string[]).map((entry) => entry.split('=')[0]);

  expect(names).toEqual(expect.arrayContaining(Object.values(WEB_BOT_VARIABLES)));
});

test('gets its settings as a file that the app’s own schema accepts', () => {
  const written = JSON.parse(files('web-bot_files')['/ragdock/etc-ragdock/settings.json'] ?? '');

  expect(WebBotSettings.parse(written)).toMatchObject({ ...settings, listen: { port: 8080 } });
});

test('is stateless and quick, so a deploy waits until it answers', () => {
  expect(container('web-bot')).toMatchObject({
    wait: true,
    wait_timeout: 60,
    healthcheck: { test: ['CMD', 'node', '/app/health.mjs', 'http://127.0.0.1:8080/healthz'] },
  });
});

describe('is asked under its own name', () => {
  test.each([
    ['while nothing is published', undefined],
    ['while only the host reaches it', '127.0.0.1'],
    ['on another address of loopback', '127.0.0.2'],
  ])('%s', (_when, address) => {
    expect(settingsIn(withBot(address)).hosts).toEqual(['test-web-bot']);
    expect(settingsIn(withBot(address, { containerName: 'webbot2', hosts: ['chat.example'] })).hosts).toEqual([
      'webbot2',
      'chat.example',
    ]);
  });

  test('and under any name when other machines reach it, unless names are told', () => {
    expect(settingsIn(withBot('0.0.0.0')).hosts).toBeUndefined();
    expect(settingsIn(withBot('0.0.0.0', { hosts: ['chat.example'] })).hosts).toEqual(['test-web-bot', 'chat.example']);
  });
});
