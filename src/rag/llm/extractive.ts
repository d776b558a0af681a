import { setTimeout as delay } from 'node:timers/promises';
import { abortReason } from '../failure.js';
import { isRussian } from '../normalise.js';
import type { Llm, LlmEvent, Passage, Prompt } from '../ports.js';
import { termsOf } from '../retrieval/terms.js';
import { type Sentence, sentencesOf } from './sentences.js';

/** Sentences that an answer quotes at most. */
const QUOTES = 3;

/** A sentence that has less than this share of the best one's score says little about the question. */
const LEAST_SHARE = 0.4;

/** What a term of the question counts that stands in the heading alone: all sentences below it share that. */
const HEADING_SHARE = 0.3;

/** A sentence with fewer terms than this is not preferred for its shortness any more. */
const FEW_TERMS = 8;

/** Words of the text that are given at once, and the pause after them: the text grows as a model's would. */
const WORDS_AT_ONCE = 3;
const PAUSE_MS = 10;

const RUSSIAN = {
  quotes: 'Модель не подключена, поэтому вместо ответа — выдержки из материалов:',
  nothing: 'Модель не подключена, а во фрагментах материалов нет предложения, которое отвечало бы на вопрос.',
} as const;

const ENGLISH = {
  quotes: 'No model is connected, so here is what the material says instead of an answer:',
  nothing: 'No model is connected, and no sentence of the material answers the question.',
} as const;

/**
 * Answers without a model: it quotes the sentences of the passages that share most with the question, each with the
 * number of its passage, and says that it does. For trying a stack where no model can run.
 */
export class ExtractiveLlm implements Llm {
  readonly model = 'extractive';

  async *chat({ question, passages }: Prompt, signal: AbortSignal): AsyncGenerator<LlmEvent> {
    for (const piece of piecesOf(extract(question, passages))) {
      if (signal.aborted) throw abortReason(signal);
      yield { type: 'text', text: piece };
      await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
    if (signal.aborted) throw abortReason(signal);
    yield { type: 'end', finishReason: 'stop', usage: undefined };
  }

  async check(): Promise<void> {}

  async close(): Promise<void> {}
}

/** The whole answer to a question. */
export function extract(question: string, passages: readonly Passage[]): string {
  const texts = isRussian(question) ? RUSSIAN : ENGLISH;
  const quotes = choose(question, passages);
  if (quotes.length === 0) return texts.nothing;
  return [texts.quotes, ...quotes.map(({ text, number }) => `«${text}» [${number}]`)].join('\n\n');
}

interface Scored extends Sentence {
  /** The number of its passage in the prompt. */
  readonly number: number;
  readonly score: number;
}

/** The best sentences, in the order in which they stand in the passages. */
function choose(question: string, passages: readonly Passage[]): readonly Scored[] {
  const sentences = passages.flatMap((passage, index) =>
    sentencesOf(passage).map((sentence) => ({ ...sentence, number: index + 1 })),
  );
  const weights = weigh(new Set(termsOf(question)), sentences);
  const scored = sentences.map((sentence) => {
    let score = 0;
    for (const [term, weight] of weights) {
      if (sentence.terms.has(term)) score += weight;
      else if (sentence.heading.has(term)) score += weight * HEADING_SHARE;
    }
    // A long sentence has more of every term; the root takes back what its length alone explains.
    return { ...sentence, score: score / Math.sqrt(Math.max(FEW_TERMS, sentence.terms.size)) };
  });
  const ranked = scored.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score || a.number - b.number);
  const least = (ranked[0]?.score ?? 0) * LEAST_SHARE;
  const chosen: Scored[] = [];
  for (const sentence of ranked) {
    if (chosen.length === QUOTES || sentence.score < least) break;
    if (!chosen.some(({ text }) => text === sentence.text)) chosen.push(sentence);
  }
  return chosen.sort((a, b) => scored.indexOf(a) - scored.indexOf(b));
}

/** Terms of the question with their weights: what stands in few of the sentences tells them apart. */
function weigh(
  question: ReadonlySet<string>,
  sentences: readonly Pick<Sentence, 'terms'>[],
): ReadonlyMap<string, number> {
  return new Map(
    [...question].map((term) => {
      const having = sentences.filter(({ terms }) => terms.has(term)).length;
      return [term, Math.log(1 + (sentences.length - having + 0.5) / (having + 0.5))];
    }),
  );
}

/** The text in a few words at a time; joined they are the text. */
function piecesOf(text: string): string[] {
  const words = text.match(/\S+\s*/g) ?? [];
  const pieces: string[] = [];
  for (let start = 0; start < words.length; start += WORDS_AT_ONCE) {
    pieces.push(words.slice(start, start + WORDS_AT_ONCE).join(''));
  }
  return pieces;
}
