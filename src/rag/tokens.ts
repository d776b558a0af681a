import type { Tokenizer } from './ports.js';

/**
 * Tokens per character, upper estimates for prose. Cyrillic is the one that matters: tokenizers made for many
 * languages spend 0.25 to 0.35 on it, one made for English 0.75 and more (measured with SmolLM2: 9,231 tokens for
 * 12,306 characters of XQuAD's Russian paragraphs; a single sentence 0.78). Some split numbers into digits.
 */
const LATIN = 0.3;
const CYRILLIC = 0.85;
const DIGIT_OR_SIGN = 1;

/** Tokens that a chat template adds around one message. */
export const TOKENS_PER_MESSAGE = 8;

/** A number of tokens that prose hardly exceeds; keys, hashes and the like do. */
export function estimateTokens(text: string): number {
  let tokens = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.codePointAt(index) ?? 0;
    if (code < 0x80) tokens += isLatin(code) ? LATIN : DIGIT_OR_SIGN;
    else if (code >= 0x400 && code <= 0x4ff) tokens += CYRILLIC;
    // A byte-level tokenizer falls back to one token for each byte of UTF-8.
    else tokens += code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    // It has taken two units of UTF-16.
    if (code >= 0x10000) index += 1;
  }
  return Math.ceil(tokens);
}

const isLatin = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) || code === 0x20 || (code >= 0x41 && code <= 0x5a);

/** Gives the tokens of a text. */
export type MeasureTokens = (text: string) => number;

/**
 * Counts by the tokenizer of the model server where it has one, and by the estimate for what it did not count. A text
 * cut in two has at most as many tokens as its parts together, so that a sum of counts is on the safe side.
 */
export async function measureBy(
  tokenizer: Tokenizer | undefined,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<MeasureTokens | undefined> {
  const counted = await tokenizer?.count(texts, signal);
  if (!counted) return undefined;
  const tokens = new Map(texts.map((text, index) => [text, counted[index]]));
  return (text) => tokens.get(text) ?? estimateTokens(text);
}
