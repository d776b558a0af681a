import { marked, type Token, type Tokens } from 'marked';
import { plainText } from '../ingest/sections.js';
import { isRussian } from '../normalise.js';
import type { Passage } from '../ports.js';
import { termsOf } from '../retrieval/terms.js';

/** One sentence of a passage as a reader would say it, without marks of Markdown. */
export interface Sentence {
  readonly text: string;
  readonly terms: ReadonlySet<string>;
  /** Terms of the heading above it. */
  readonly heading: ReadonlySet<string>;
}

/** Shorter ones are labels, headings and left-overs of tables. */
const SHORTEST = 20;

/** The sentences of a passage in their order. Headings and code are none; a row of a table is one. */
export function sentencesOf({ text, heading }: Pick<Passage, 'text' | 'heading'>): readonly Sentence[] {
  const above = new Set(termsOf(heading.split(' > ').at(-1) ?? ''));
  return marked
    .lexer(text)
    .flatMap(blocksOf)
    .flatMap(split)
    .filter((sentence) => sentence.length >= SHORTEST)
    .map((sentence) => ({ text: sentence, terms: new Set(termsOf(sentence)), heading: above }));
}

/** Texts that stand by themselves: a paragraph, an item of a list, a row of a table. */
function blocksOf(token: Token): string[] {
  switch (token.type) {
    case 'paragraph':
    case 'text':
      return [plainText(token.tokens ?? [token])];
    case 'list':
      return (token as Tokens.List).items.flatMap(({ tokens }) => tokens.flatMap(blocksOf));
    case 'blockquote':
      return (token as Tokens.Blockquote).tokens.flatMap(blocksOf);
    case 'table': {
      const { header, rows } = token as Tokens.Table;
      return rows.map((row) =>
        row.map((cell, index) => `${plainText(header[index]?.tokens ?? [])}: ${plainText(cell.tokens)}`).join('; '),
      );
    }
    default:
      return [];
  }
}

function split(text: string): string[] {
  const locale = isRussian(text) ? 'ru' : 'en';
  return [...new Intl.Segmenter(locale, { granularity: 'sentence' }).segment(text)]
    .map(({ segment }) => segment.trim())
    .filter((sentence) => sentence !== '');
}
