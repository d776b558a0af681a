import { marked, type Token, type Tokens } from 'marked';

/** A part of a document under one heading, with the parts below it. */
export interface Section {
  /** Plain text of the heading; empty for what stands before the first one. */
  readonly heading: string;
  /** The heading as it was written; empty when there is none. */
  readonly headingLine: string;
  /** Paragraphs, lists, tables and code blocks that stand directly under the heading, as they were written. */
  readonly blocks: readonly string[];
  readonly children: readonly Section[];
}

export interface ParsedDocument {
  readonly title: string;
  readonly root: Section;
}

interface OpenSection {
  heading: string;
  headingLine: string;
  depth: number;
  blocks: string[];
  children: OpenSection[];
}

const FRONT_MATTER = /^---\n([\s\S]*?)\n---(?:\n|$)/;

/** Cuts Markdown into its sections. The title is the front matter's, the first heading of level 1, or `fallback`. */
export function parseMarkdown(content: string, fallback: string): ParsedDocument {
  const matter = FRONT_MATTER.exec(content);
  const root = open('', '', 0);
  const path: OpenSection[] = [root];
  let firstHeading: string | undefined;
  for (const token of marked.lexer(content.slice(matter?.[0].length ?? 0))) {
    if (token.type === 'heading') {
      const { depth, raw } = token as Tokens.Heading;
      const heading = plainText((token as Tokens.Heading).tokens);
      if (depth === 1) firstHeading ??= heading;
      while ((path.at(-1) ?? root).depth >= depth) path.pop();
      const section = open(heading, raw.trim(), depth);
      (path.at(-1) ?? root).children.push(section);
      path.push(section);
    } else if (!isEmpty(token)) {
      (path.at(-1) ?? root).blocks.push(token.raw.trim());
    }
  }
  return { title: titleOf(matter?.[1]) ?? firstHeading ?? fallback, root };
}

/** Cuts plain text into paragraphs. */
export function parseText(content: string, fallback: string): ParsedDocument {
  const root = open('', '', 0);
  root.blocks = content
    .split(/\n[ \t]*\n/)
    .map((block) => block.trim())
    .filter((block) => block !== '');
  return { title: fallback, root };
}

/** What separates, defines a link, or is a comment says nothing to a reader. */
function isEmpty({ type, raw }: Token): boolean {
  return (
    type === 'space' ||
    type === 'hr' ||
    type === 'def' ||
    (type === 'html' && raw.replace(/<!--[\s\S]*?-->/g, '').trim() === '')
  );
}

function open(heading: string, headingLine: string, depth: number): OpenSection {
  return { heading, headingLine, depth, blocks: [], children: [] };
}

/** The text of inline Markdown without its marks. */
export function plainText(tokens: readonly Token[]): string {
  return tokens
    .map((token) =>
      'tokens' in token && token.tokens ? plainText(token.tokens) : 'text' in token ? token.text : token.raw,
    )
    .join('')
    .replace(/\s+/g, ' ')
    .trim();
}

function titleOf(matter: string | undefined): string | undefined {
  const title = /^title:[ \t]*(.+)$/m.exec(matter ?? '')?.[1]?.trim();
  return title?.replace(/^(["'])(.*)\1$/, '$2') || undefined;
}
