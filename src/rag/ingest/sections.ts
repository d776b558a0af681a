import { marked, type Token, type Tokens } from 'marked';

/** A part of a document under one heading, with the parts below it. */
export interface Section {
  /** Plain text of the heading; empty for what stands before the first one. */
  readonly heading: string;
  /** The heading as it was written; empty when there is none. */
  readonly headingLine: string;
  /** Paragraphs, lists, tables and code blocks that stand directly under the heading, as Markdown writes them. */
  readonly blocks: readonly string[];
  readonly children: readonly Section[];
}

export interface ParsedDocument {
  readonly title: string;
  readonly root: Section;
  /**
   * The parts directly below the root stand for themselves, as pages and pairs of question and answer do: none is joined
   * with another, and the ids of one do not depend on the others. @default - parts are joined while they fit a chunk
   */
  readonly apart?: true | undefined;
}

interface OpenSection {
  heading: string;
  headingLine: string;
  depth: number;
  blocks: string[];
  children: OpenSection[];
}

/** Nests sections by the level of their headings, as they come. */
export class Outline {
  readonly #root = open('', '', 0);
  readonly #path: OpenSection[] = [this.#root];
  #firstTitle: string | undefined;

  /** The sections so far. */
  get root(): Section {
    return this.#root;
  }

  /** Text of the first heading of level 1. @default - there is none */
  get firstTitle(): string | undefined {
    return this.#firstTitle;
  }

  /** @param depth from 1, the outermost, to 6 */
  heading(depth: number, heading: string, headingLine: string): void {
    if (depth === 1) this.#firstTitle ??= heading;
    while (this.#current.depth >= depth) this.#path.pop();
    const section = open(heading, headingLine, depth);
    this.#current.children.push(section);
    this.#path.push(section);
  }

  block(text: string): void {
    this.#current.blocks.push(text);
  }

  get #current(): OpenSection {
    return this.#path.at(-1) ?? this.#root;
  }
}

const FRONT_MATTER = /^---\n([\s\S]*?)\n---(?:\n|$)/;

/** Cuts Markdown into its sections. The title is the front matter's, the first heading of level 1, or `fallback`. */
export function parseMarkdown(content: string, fallback: string): ParsedDocument {
  const matter = FRONT_MATTER.exec(content);
  const outline = new Outline();
  for (const token of marked.lexer(content.slice(matter?.[0].length ?? 0))) {
    if (token.type === 'heading') {
      const { depth, raw } = token as Tokens.Heading;
      outline.heading(depth, plainText((token as Tokens.Heading).tokens), raw.trim());
    } else if (!isEmpty(token)) {
      outline.block(token.raw.trim());
    }
  }
  return { title: titleOf(matter?.[1]) ?? outline.firstTitle ?? fallback, root: outline.root };
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

/** A document with every text of it as `change` makes it. Texts that become empty are left out. */
export function mapTexts(document: ParsedDocument, change: (text: string) => string): ParsedDocument {
  const section = ({ heading, headingLine, blocks, children }: Section): Section => ({
    heading: change(heading).trim(),
    headingLine: change(headingLine).trim(),
    blocks: blocks.map((block) => change(block).trim()).filter((block) => block !== ''),
    children: children.map(section),
  });
  return { ...document, title: change(document.title).trim(), root: section(document.root) };
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
