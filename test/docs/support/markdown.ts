import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { marked, type Token, type Tokens } from 'marked';

/** The project's folder. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

export interface Page {
  /** Path from the project's folder. */
  readonly file: string;
  readonly tokens: Token[];
}

export const readPage = (file: string): Page => ({
  file,
  tokens: marked.lexer(readFileSync(join(ROOT, file), 'utf8')),
});

/** Every page that people read. */
export const PAGES: readonly Page[] = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`)
    .sort(),
].map(readPage);

/** All tokens of one kind, however deep. */
export function all<T extends Token>(tokens: Token[], type: T['type']): T[] {
  const found: T[] = [];
  marked.walkTokens(tokens, (token) => {
    if (token.type === type) found.push(token as T);
  });
  return found;
}

export const linksIn = (tokens: Token[]): string[] =>
  [...all<Tokens.Link>(tokens, 'link'), ...all<Tokens.Image>(tokens, 'image')].map(({ href }) => href);

/** The texts in backticks. */
export const codeIn = (tokens: Token[]): string[] => all<Tokens.Codespan>(tokens, 'codespan').map(({ text }) => text);

/** The texts of fenced blocks in one language. */
export const fences = ({ tokens }: Page, lang: string): string[] =>
  all<Tokens.Code>(tokens, 'code').flatMap((code) => (code.lang === lang ? [code.text] : []));

/** The anchors of a page's headings, as GitHub makes them. */
export function anchors({ tokens }: Page): ReadonlySet<string> {
  const seen = new Map<string, number>();
  return new Set(
    all<Tokens.Heading>(tokens, 'heading').map(({ text }) => {
      const slug = text
        .toLowerCase()
        .replace(/[^\p{L}\p{M}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-');
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

/** One cell of a table: its text, and what of it is in backticks. */
export interface Cell {
  readonly text: string;
  readonly code: readonly string[];
  readonly links: readonly string[];
}

/**
 * The rows of the tables that stand below a heading, before the next one of its level or above.
 *
 * @param heading @default - the tables above the first heading of the second level
 */
export function tables({ file, tokens }: Page, heading?: string): readonly (readonly Cell[])[][] {
  const start = heading === undefined ? 0 : tokens.findIndex((it) => it.type === 'heading' && it.text === heading);
  if (start < 0) throw new Error(`${file} has no heading '${heading}'`);
  const depth = heading === undefined ? 2 : (tokens[start] as Tokens.Heading).depth;
  const end = tokens.findIndex((it, index) => index > start && it.type === 'heading' && it.depth <= depth);
  return tokens
    .slice(start, end < 0 ? undefined : end)
    .filter((it): it is Tokens.Table => it.type === 'table')
    .map(({ rows }) =>
      rows.map((row) =>
        row.map(({ text, tokens: inner }) => ({
          text: text.replaceAll('`', ''),
          code: codeIn(inner),
          links: linksIn(inner),
        })),
      ),
    );
}
