import { Sampling, SYSTEM_PROMPT } from '../../config/llm.js';
import type { ApiLimits } from '../../config/schema.js';
import { RagApiSettings } from '../apps/rag-api/settings.js';
import { WebBotSettings } from '../apps/web-bot/settings.js';
import type { EmbeddedCollection } from './passages.js';

/** Passages that one question takes from each collection. */
const LIMIT = 3;

/** The collections of the guide's stack, searched in this order. Their language is that of each word. */
export const COLLECTIONS: readonly EmbeddedCollection[] = [
  { name: 'BD_curs_data', limit: LIMIT },
  { name: 'BD_chat_question', limit: LIMIT },
  { name: 'BD_organization_question', limit: LIMIT },
];

/** Where course material goes. */
export const MATERIAL = 'BD_curs_data';

/** A model as the RAG API has to know it. */
export interface ModelSettings {
  readonly model: string;
  /** Tokens of prompt and answer together. */
  readonly contextTokens: number;
}

export function apiSettings(courses: readonly string[], limits: ApiLimits, model: ModelSettings): RagApiSettings {
  const sampling = Sampling.parse({});
  return {
    // Its own ports are not used: one port serves everything.
    listen: { port: 0, metricsPort: 0 },
    collections: COLLECTIONS.map((collection) => ({ ...collection, language: 'russian' })),
    courses: [...courses],
    noContext: 'refuse',
    llm: {
      ...model,
      systemPrompt: SYSTEM_PROMPT,
      // An answer may take half of a context that is smaller than usual.
      sampling: { ...sampling, maxTokens: Math.min(sampling.maxTokens, Math.floor(model.contextTokens / 2)) },
    },
    // What one client may take is not asked: whoever reaches this process is its only one.
    limits: RagApiSettings.shape.limits.parse(limits),
    // Nothing is learned: who is content is the same one who asks.
    history: RagApiSettings.shape.history.parse({}),
  };
}

export function botSettings(courses: readonly string[], limits: ApiLimits): WebBotSettings {
  const { messageCharacters, firstTokenSeconds, idleSeconds, totalSeconds } = limits;
  return {
    listen: { port: 0 },
    courses: [...courses],
    messageCharacters,
    api: { firstTokenSeconds, idleSeconds, totalSeconds },
    limits: WebBotSettings.shape.limits.parse({}),
    trustedProxies: [],
  };
}
