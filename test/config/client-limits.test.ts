import { expect, test } from 'vitest';
import { API_CLIENT_LIMITS, API_HISTORY_LIMITS, API_RECORD_LIMITS, WEB_BOT_LIMITS } from '../../config/api-limits.js';
import { RagApiSettings } from '../../src/apps/rag-api/settings.js';
import { DEFAULT_LIMITS, limitsFor } from '../../src/apps/web-bot/limits.js';
import { WebBotSettings } from '../../src/apps/web-bot/settings.js';

const usualOf = (limits: Readonly<Record<string, { readonly usual: number }>>) =>
  Object.fromEntries(Object.entries(limits).map(([key, { usual }]) => [key, usual]));

test('the apps’ own defaults are those of environment files', () => {
  const required = {
    messageCharacters: 1,
    concurrentStreams: 1,
    firstTokenSeconds: 1,
    idleSeconds: 1,
    totalSeconds: 1,
  };
  expect(RagApiSettings.shape.limits.parse(required)).toEqual({
    ...required,
    ...usualOf(API_CLIENT_LIMITS),
    ...usualOf(API_RECORD_LIMITS),
  });
  expect(RagApiSettings.shape.history.parse({})).toEqual(usualOf(API_HISTORY_LIMITS));
  for (const { usual, meaning } of Object.values({ ...API_RECORD_LIMITS, ...API_HISTORY_LIMITS })) {
    expect(meaning).toContain(`Default: ${usual}`);
  }
  expect(WebBotSettings.shape.limits.parse({})).toEqual(usualOf(WEB_BOT_LIMITS));
  const settings = {
    api: { firstTokenSeconds: 1, idleSeconds: 1, totalSeconds: 1 },
    limits: WebBotSettings.shape.limits.parse({}),
  };
  const { answerMs: _answer, api: _api, ...limits } = limitsFor(settings);
  const { answerMs: _usual, api: _usualApi, ...usual } = DEFAULT_LIMITS;
  expect(limits).toEqual(usual);
});
