import { type DefaultTreeAdapterTypes, defaultTreeAdapter, parse } from 'parse5';
import { Outline, type ParsedDocument } from '../rag/ingest/sections.js';
import { DocumentFault } from './fault.js';

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

/** What is no text of the page: programs, styles, controls, pictures, and the links to other pages around it. */
const DROPPED = new Set(
  `script style template noscript nav head title svg canvas iframe object embed audio video map form button select
   textarea input dialog`.split(/\s+/),
);

/** What stands in lines of its own. */
const BLOCKS = new Set(
  `address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer header hgroup
   html legend li main menu p search section summary ul ol table caption tbody thead tfoot tr td th pre hr h1 h2 h3 h4
   h5 h6`.split(/\s+/),
);

/** Most columns and rows that one cell may claim to span; a page can claim any number. */
const WIDEST_SPAN = 50;

/** Deepest nesting. Browsers stop at 512; the time that a page takes grows with the square of its depth. */
const DEEPEST = 1000;

/** Stands for `<br>` until white space is collapsed. */
const BREAK = '\u0001';

/**
 * Sections of a page: those of its `<main>`, or of all of it. Lists and tables become Markdown, code is fenced. The title
 * is `<title>`, the first heading of level 1, or `fallback`.
 *
 * @throws DocumentFault DOCUMENT_DAMAGED for one that is nested too deep
 */
export function parseHtml(html: string, fallback: string): ParsedDocument {
  const tree = treeOf(html);
  const main = find(tree, (element) => element.tagName === 'main' || attribute(element, 'role') === 'main');
  const title = find(tree, ({ tagName }) => tagName === 'title');
  // A page whose main part is filled by a program has its text elsewhere, or nowhere.
  const outline = (main && outlineOf(main)) ?? outlineOf(tree) ?? new Outline();
  return { title: (title && textOf(title)) || outline.firstTitle || fallback, root: outline.root };
}

function treeOf(html: string): Node {
  let depth = 0;
  const onItemPush = () => {
    depth += 1;
    if (depth > DEEPEST) throw new DocumentFault('DOCUMENT_DAMAGED', `is nested more than ${DEEPEST} elements deep`);
  };
  const onItemPop = () => {
    depth -= 1;
  };
  return parse(html, { treeAdapter: { ...defaultTreeAdapter, onItemPush, onItemPop } });
}

function outlineOf(node: Node): Outline | undefined {
  const outline = new Outline();
  new Walker(outline).run(node);
  const { blocks, children } = outline.root;
  return blocks.length + children.length > 0 ? outline : undefined;
}

/** Where blocks go, and headings. */
interface Sink {
  block(text: string): void;
  heading(depth: number, heading: string, line: string): void;
}

/** Walks what is inside of an element, and gives its blocks to a sink. */
class Walker {
  readonly #sink: Sink;
  #run = '';

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  run(node: Node): void {
    this.#children(node);
    this.#flush();
  }

  #children(node: Node): void {
    if ('childNodes' in node) for (const child of node.childNodes) this.#visit(child);
  }

  #visit(node: Node): void {
    if (node.nodeName === '#text' && 'value' in node) {
      this.#run += node.value;
    } else if ('tagName' in node) {
      if (isDropped(node)) return;
      if (BLOCKS.has(node.tagName)) this.#block(node);
      else this.#inline(node);
    }
  }

  #inline(element: Element): void {
    const { tagName } = element;
    if (tagName === 'br') this.#run += BREAK;
    else if (tagName === 'img') this.#run += ` ${attribute(element, 'alt') ?? ''} `;
    else if (tagName === 'code' || tagName === 'kbd' || tagName === 'samp') this.#run += quoted(textOf(element));
    else this.#children(element);
  }

  #block(element: Element): void {
    this.#flush();
    const { tagName } = element;
    const depth = /^h([1-6])$/.exec(tagName)?.[1];
    if (depth !== undefined) {
      const heading = textOf(element);
      if (heading !== '') this.#sink.heading(Number(depth), heading, `${'#'.repeat(Number(depth))} ${heading}`);
    } else if (tagName === 'pre') this.#give(fenced(rawText(element)));
    else if (tagName === 'ul' || tagName === 'ol' || tagName === 'menu') this.#give(listOf(element));
    else if (tagName === 'dl') this.#give(definitionsOf(element));
    else if (tagName === 'table' && !isLayout(element)) {
      for (const caption of childrenOf(element, 'caption')) this.#give(textOf(caption));
      this.#give(tableOf(element));
    } else {
      this.#children(element);
      this.#flush();
    }
  }

  #flush(): void {
    const text = collapse(this.#run);
    this.#run = '';
    this.#give(text);
  }

  #give(block: string): void {
    if (block !== '') this.#sink.block(block);
  }
}

/** The blocks inside of an element; headings become blocks like others. */
function blocksOf(element: Element): readonly string[] {
  const blocks: string[] = [];
  const block = (text: string) => void blocks.push(text);
  new Walker({ block, heading: (_depth, heading) => block(heading) }).run(element);
  return blocks;
}

function listOf(list: Element): string {
  let number = Number(attribute(list, 'start') ?? '1') || 1;
  return list.childNodes
    .flatMap((child) => ('tagName' in child && !isDropped(child) ? [child] : []))
    .flatMap((child) => {
      const text = blocksOf(child).join('\n');
      if (text === '') return [];
      const mark = list.tagName === 'ol' ? `${number++}. ` : '- ';
      return [mark + text.replaceAll('\n', `\n${' '.repeat(mark.length)}`)];
    })
    .join('\n');
}

/** One line for each definition, with the terms before it. */
function definitionsOf(list: Element): string {
  const lines: string[] = [];
  let terms: string[] = [];
  let defined = false;
  // Groups of terms and definitions may be wrapped.
  const parts = list.childNodes.flatMap((child) =>
    'tagName' in child && child.tagName === 'div' ? child.childNodes : [child],
  );
  for (const part of parts) {
    if (!('tagName' in part)) continue;
    const text = blocksOf(part).join('\n  ');
    if (part.tagName === 'dt') {
      if (defined) terms = [];
      defined = false;
      terms.push(text);
    } else if (text !== '') {
      defined = true;
      lines.push(`- ${[terms.join(', '), text].filter((one) => one !== '').join(': ')}`);
    }
  }
  return lines.join('\n');
}

/** A table that lays the page out has headings or tables in its cells. */
function isLayout(table: Element): boolean {
  return table.childNodes.some((child) =>
    find(child, ({ tagName }) => tagName === 'table' || /^h[1-6]$/.test(tagName)),
  );
}

/** Rows of Markdown; the first is the head. What a cell spans is repeated, so that each row can be read alone. */
function tableOf(table: Element): string {
  const above: { text: string; rows: number }[] = [];
  const rows = rowsOf(table).map((row) => {
    const cells: string[] = [];
    const fill = () => {
      for (let span = above[cells.length]; span && span.rows > 0; span = above[cells.length]) {
        span.rows -= 1;
        cells.push(span.text);
      }
    };
    for (const cell of [...childrenOf(row, 'th', 'td')]) {
      fill();
      const text = blocksOf(cell).join(' ').replace(/\s+/g, ' ').replaceAll('|', '\\|');
      const rowSpan = spanOf(cell, 'rowspan');
      for (let column = spanOf(cell, 'colspan'); column > 0; column -= 1) {
        above[cells.length] = { text, rows: rowSpan - 1 };
        cells.push(text);
      }
    }
    fill();
    return cells;
  });
  const filled = rows.filter((cells) => cells.some((cell) => cell !== ''));
  const width = filled.reduce((widest, { length }) => Math.max(widest, length), 0);
  const line = (cells: readonly string[]) =>
    `| ${Array.from({ length: width }, (_, at) => cells[at] ?? '').join(' | ')} |`;
  const [head, ...body] = filled;
  if (!head) return '';
  return [line(head), `|${' --- |'.repeat(width)}`, ...body.map(line)].join('\n');
}

function rowsOf(table: Element): readonly Element[] {
  return table.childNodes.flatMap((child) => {
    if (!('tagName' in child)) return [];
    if (child.tagName === 'tr') return [child];
    return /^t(head|body|foot)$/.test(child.tagName) ? childrenOf(child, 'tr') : [];
  });
}

function childrenOf(element: Element, ...names: readonly string[]): readonly Element[] {
  return element.childNodes.flatMap((child) => ('tagName' in child && names.includes(child.tagName) ? [child] : []));
}

function spanOf(cell: Element, name: 'rowspan' | 'colspan'): number {
  const span = Number.parseInt(attribute(cell, name) ?? '1', 10);
  return span > 0 ? Math.min(span, WIDEST_SPAN) : 1;
}

function isDropped(element: Element): boolean {
  return (
    DROPPED.has(element.tagName) ||
    attribute(element, 'hidden') !== undefined ||
    attribute(element, 'aria-hidden') === 'true' ||
    attribute(element, 'role') === 'navigation'
  );
}

const attribute = ({ attrs }: Element, name: string): string | undefined =>
  attrs.find((attr) => attr.name === name)?.value;

/** The first element that fits, in the order of the page. */
function find(node: Node, fits: (element: Element) => boolean): Element | undefined {
  if ('tagName' in node && fits(node)) return node;
  if (!('childNodes' in node)) return undefined;
  for (const child of node.childNodes) {
    const found = find(child, fits);
    if (found) return found;
  }
  return undefined;
}

/** Text in one line. */
const textOf = (element: Element): string => collapse(rawText(element)).replaceAll('\n', ' ');

function rawText(node: Node): string {
  if (node.nodeName === '#text' && 'value' in node) return node.value;
  if (node.nodeName === 'br') return '\n';
  return 'childNodes' in node ? node.childNodes.map(rawText).join('') : '';
}

function collapse(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .split(BREAK)
    .map((line) => line.trim())
    .join('\n')
    .trim();
}

const quoted = (code: string): string => (code === '' || code.includes('`') ? code : `\`${code}\``);

function fenced(code: string): string {
  const trimmed = code.replace(/^\s*\n/, '').trimEnd();
  if (trimmed === '') return '';
  const longest = (trimmed.match(/`+/g) ?? []).reduce((length, run) => Math.max(length, run.length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${trimmed}\n${fence}`;
}
