import { describe, expect, test } from 'vitest';
import { chunkDocument, LONGEST_CHUNK, OVERLAP } from '../../src/rag/ingest/chunk.js';
import { parseMarkdown, parseText } from '../../src/rag/ingest/sections.js';

const markdown = (content: string) => chunkDocument(parseMarkdown(content, 'file.md'));
const sentences = (count: number, word = 'слово') =>
  Array.from({ length: count }, (_, index) => `Предложение ${index} о том, что такое ${word}.`).join(' ');

describe('parseMarkdown', () => {
  test.each([
    ['# Курс по *RAG* и `BM25`\n\nТекст.', 'Курс по RAG и BM25'],
    ['---\ntitle: "Из шапки"\ntags: [a]\n---\n# Заголовок', 'Из шапки'],
    ['## Раздел\n\nТекст.', 'file.md'],
    ['Заголовок\n=========\n\nТекст.', 'Заголовок'],
  ])('finds the title of %j', (content, title) => {
    expect(parseMarkdown(content, 'file.md').title).toBe(title);
  });

  test('does not take a comment inside a code block for a heading', () => {
    const { root } = parseMarkdown('# Один\n\n```sh\n# не заголовок\n```\n', 'file.md');
    expect(root.children).toHaveLength(1);
    expect(root.children[0]?.blocks).toEqual(['```sh\n# не заголовок\n```']);
  });

  test('nests sections by level, also when levels are left out', () => {
    const { root } = parseMarkdown('# A\n### B\n## C\n# D', 'file.md');
    expect(root.children.map(({ heading }) => heading)).toEqual(['A', 'D']);
    expect(root.children[0]?.children.map(({ heading }) => heading)).toEqual(['B', 'C']);
  });
});

describe('chunkDocument', () => {
  test('keeps a document whole that fits', () => {
    const content = '# Курс\n\nВведение.\n\n## Раздел\n\n- один\n- два';
    expect(markdown(content)).toEqual([{ heading: '', text: content, position: 0 }]);
  });

  test('gives each section the path of its headings when the document does not fit', () => {
    const long = sentences(60);
    const chunks = markdown(`# Курс\n\n## Первый\n\n${long}\n\n## Второй\n\n### Подраздел\n\nКоротко.`);
    expect([...new Set(chunks.map(({ heading }) => heading))]).toEqual(['Курс > Первый', 'Курс > Второй']);
    expect(chunks.at(-1)).toMatchObject({ heading: 'Курс > Второй', text: '### Подраздел\n\nКоротко.' });
  });

  test('leaves out what says nothing: empty sections, rules, comments', () => {
    expect(
      markdown(`# Пусто\n\n<!-- скрыто -->\n\n---\n\n# Полно\n\n${sentences(60)}`).map(({ heading }) => heading),
    ).not.toContain('Пусто');
    expect(markdown('<!-- только комментарий -->')).toEqual([]);
    expect(markdown('  \n\n')).toEqual([]);
  });

  test.each([
    ['comments in one line', '<!--a-->'.repeat(40), 'Текст'],
    ['closing brackets', ')'.repeat(60_000), ''],
    ['quotation marks behind a sentence', `Да.${'»'.repeat(60_000)}`, ''],
  ])('takes no time that grows with its square, or worse: %s', (_name, row, end) => {
    const started = performance.now();
    expect(markdown(`${row} ${end}\n`).length).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test.each([
    ['sentences', sentences(200)],
    ['lines of a table', `| a | b |\n|---|---|\n${'| значение | другое |\n'.repeat(300)}`],
    ['one endless word', 'ы'.repeat(10_000)],
    ['words without sentences', 'слово '.repeat(2000)],
    ['emoji without end', '😀'.repeat(5000)],
    ['a block of code', `\`\`\`ts\n${'const a = 1;\n'.repeat(400)}\`\`\``],
  ])('keeps every chunk within its length: %s', (_name, content) => {
    const chunks = markdown(`# Т\n\n${content}`);
    expect(chunks.length).toBeGreaterThan(1);
    for (const { text } of chunks) {
      expect(text.length).toBeLessThanOrEqual(LONGEST_CHUNK);
      expect(text.trim()).not.toBe('');
      expect(text).not.toMatch(/\p{Surrogate}/u);
    }
  });

  test('divides a table between its rows, and repeats its head', () => {
    const head = '| Город. Название | Широта |\n|---|---:|';
    const rows = Array.from({ length: 120 }, (_, index) => `| Город ${index}. Стоит на реке. | ${index}° с. ш. |`);
    const texts = markdown(`# Т\n\nДо таблицы.\n\n${head}\n${rows.join('\n')}\n\nПосле.`).map(({ text }) => text);
    expect(texts.length).toBeGreaterThan(2);
    const found = texts.flatMap((text) => text.split('\n').filter((line) => /^\| Город \d/.test(line)));
    expect(found).toEqual(rows);
    for (const text of texts.filter((one) => one.includes('| Город 1'))) expect(text).toContain(head);
    for (const text of texts)
      for (const line of text.split('\n')) expect(line).toMatch(/^(\|.*\||До таблицы\.|После\.|)$/);
  });

  test('divides code between its lines, and fences every part', () => {
    const lines = Array.from({ length: 200 }, (_, index) => `  call(${index}); // Комментарий. Ещё один.`);
    const texts = markdown(`# Т\n\n\`\`\`ts\n${lines.join('\n')}\n\`\`\``).map(({ text }) => text);
    expect(texts.length).toBeGreaterThan(2);
    for (const text of texts) expect(text).toMatch(/^```ts\n[^`]*\n```$/);
    expect(texts.flatMap((text) => text.split('\n').slice(1, -1))).toEqual(lines);
  });

  test('divides a list between its items', () => {
    const items = Array.from({ length: 80 }, (_, index) => `- Пункт ${index}. В нём два предложения.`);
    const texts = markdown(`# Т\n\n${items.join('\n')}`).map(({ text }) => text);
    for (const item of items) expect(texts.some((text) => `\n${text}\n`.includes(`\n${item}\n`))).toBe(true);
  });

  test('joins nothing that stands for itself', () => {
    const part = (heading: string, block: string) => ({ heading, headingLine: '', blocks: [block], children: [] });
    const root = {
      heading: '',
      headingLine: '',
      blocks: [],
      children: [part('p. 1', 'One.'), part('p. 2', sentences(60))],
    };
    const chunks = chunkDocument({ title: 't', root, apart: true });
    expect(chunks[0]).toEqual({ heading: 'p. 1', text: 'One.', position: 0 });
    expect(chunks.slice(1).map(({ heading, position }) => `${heading} ${position}`)).toEqual(
      chunks.slice(1).map((_, index) => `p. 2 ${index}`),
    );
  });

  test('loses no sentence, and cuts none', () => {
    const all = Array.from({ length: 200 }, (_, index) => `Предложение ${index} о том, что такое слово.`);
    const texts = markdown(`# Т\n\n${all.join(' ')}`).map(({ text }) => text);
    for (const sentence of all) expect(texts.some((text) => text.includes(sentence))).toBe(true);
  });

  test('repeats the last sentences of a chunk in the next, and no more than the overlap', () => {
    const texts = markdown(`# Т\n\n${sentences(200)}`).map(({ text }) => text);
    for (let index = 1; index < texts.length; index += 1) {
      const [repeated = ''] = (texts[index] ?? '').split('\n\n');
      expect(repeated.length).toBeGreaterThan(0);
      expect(repeated.length).toBeLessThanOrEqual(OVERLAP);
      expect(texts[index - 1]?.endsWith(repeated)).toBe(true);
      expect(repeated).toMatch(/^Предложение/);
    }
  });

  test('is the same every time', () => {
    const content = `# Курс\n\n${sentences(100)}\n\n## Ещё\n\n${sentences(50)}`;
    expect(markdown(content)).toEqual(markdown(content));
  });

  test('cuts plain text by paragraphs', () => {
    const paragraphs = Array.from({ length: 10 }, (_, index) => `${index}. ${sentences(10)}`);
    const chunks = chunkDocument(parseText(paragraphs.join('\n \n'), 'notes.txt'));
    expect(chunks.every(({ heading }) => heading === '')).toBe(true);
    for (const paragraph of paragraphs) expect(chunks.some(({ text }) => text.includes(paragraph))).toBe(true);
  });
});
