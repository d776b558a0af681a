import { randomUUID } from 'node:crypto';
import type { Question } from './pipeline.js';
import type { Llm } from './ports.js';
import { buildPrompt, type FoundPassages, type LaidOutPrompt, measuredTexts, type PromptSettings } from './prompt.js';
import { measureBy } from './tokens.js';

/**
 * Lays out a prompt within the context that the server really has. The estimate errs on the safe side, so that what fits
 * by it fits; only when something had to be left out is the server asked to count, which may make room for it.
 *
 * @param share part of the free room that passages and history may take, 0 to 1
 */
export async function layOutPrompt(
  llm: Llm,
  settings: PromptSettings,
  { message, history }: Pick<Question, 'message' | 'history'>,
  found: FoundPassages,
  share: number,
  signal: AbortSignal,
): Promise<LaidOutPrompt> {
  const served = await llm.tokenizer?.contextTokens();
  const contextTokens = Math.min(settings.contextTokens, served ?? settings.contextTokens);
  const within = { ...settings, contextTokens };
  const boundary = randomUUID().replaceAll('-', '').slice(-24);
  const parts = { ...found, question: message, history, boundary, share };
  const estimated = buildPrompt(within, parts);
  if (!estimated.isCut) return estimated;
  const measure = await measureBy(llm.tokenizer, measuredTexts(within, parts), signal);
  return measure ? buildPrompt(within, { ...parts, measure }) : estimated;
}
