import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { extractDocument } from '../../src/documents/extract.js';
import { LARGEST_FILE, LARGEST_TEXT } from '../../src/documents/formats.js';
import { passagesOf } from '../../src/rag/ingest/ingest.js';
import { temporaryFolder } from '../support/folder.js';
import { extract, passages } from './support/documents.js';

/** `Тень гномона` in windows-1251. */
const CP1251 = Buffer.from([0xd2, 0xe5, 0xed, 0xfc, 0x20, 0xe3, 0xed, 0xee, 0xec, 0xee, 0xed, 0xe0]);

const problemsOf = async (path: string, content: string | Uint8Array) => {
  const { document, problems } = await extract(path, content);
  // A text that is empty is sent, so that what it held before goes.
  if (problems.some(({ code }) => code === 'DOCUMENT_NO_TEXT') && !path.endsWith('.html')) {
    expect(document && passagesOf(document, { course: 'demo', source: path })).toEqual([]);
  } else expect(document).toBeUndefined();
  return problems.map(({ code, file, message }) => [code, file, message]);
};

const contentOf = async (path: string, content: string | Uint8Array) => {
  const { document } = await extract(path, content);
  return document && 'content' in document ? document.content : undefined;
};

describe('text', () => {
  test.each([
    ['UTF-8', Buffer.from('# Ёлка\r\n')],
    ['UTF-8 with a byte order mark', Buffer.from('\uFEFF# Ёлка\r\n')],
    ['UTF-16 with a byte order mark', Buffer.from('\uFEFF# Ёлка\r\n', 'utf16le')],
    ['UTF-16, the other way round', Buffer.from('\uFEFF# Ёлка\r\n', 'utf16le').swap16()],
  ])('is read as it is: %s', async (_name, content) => {
    expect(await contentOf('docs/a.md', content)).toBe('# Ёлка\r\n');
  });

  test('in windows-1251 is not guessed, and what it may be is said', async () => {
    const { problems } = await extract('a.txt', CP1251);
    expect(problems).toEqual([
      {
        code: 'DOCUMENT_ENCODING',
        file: 'a.txt',
        message: 'is not UTF-8; it may be windows-1251',
        remedy: expect.stringContaining('iconv -f windows-1251'),
      },
    ]);
  });

  test.each([
    ['another encoding', Buffer.from('caf\xe9', 'latin1'), 'DOCUMENT_ENCODING'],
    ['binary data', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0x02, 0x00, 0x00, 0xff]), 'DOCUMENT_DAMAGED'],
    ['binary data that is UTF-8 by chance', Buffer.from('a\0b'), 'DOCUMENT_DAMAGED'],
    ['white space', ' \n\t\n', 'DOCUMENT_NO_TEXT'],
  ])('is told from %s', async (_name, content, code) => {
    for (const path of ['a.md', 'a.txt'])
      expect(await problemsOf(path, content)).toEqual([[code, path, expect.any(String)]]);
  });
});

describe('a page', () => {
  const page = (head: string) =>
    Buffer.concat([Buffer.from(`<html><head>${head}<title>`), CP1251, Buffer.from('</title><p>'), CP1251]);

  test.each([
    '<meta charset="windows-1251">',
    "<meta charset = 'CP1251' />",
    '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">',
  ])('is read in the encoding that it declares: %s', async (head) => {
    const { document } = await extract('a.html', page(head));
    expect(document).toMatchObject({ parsed: { title: 'Тень гномона', root: { blocks: ['Тень гномона'] } } });
  });

  test('is UTF-8 where it declares nothing', async () => {
    expect(await passages('a.htm', '<p>Тень')).toMatchObject([{ text: 'Тень' }]);
    expect(await problemsOf('a.html', page(''))).toEqual([
      ['DOCUMENT_ENCODING', 'a.html', expect.stringContaining('windows-1251')],
    ]);
  });

  test('is what its byte order mark says, whatever it declares', async () => {
    expect(await passages('a.html', '\uFEFF<meta charset="windows-1251"><p>Тень')).toMatchObject([{ text: 'Тень' }]);
  });

  test('that declares what does not exist, or is something else', async () => {
    expect(await problemsOf('a.html', page('<meta charset="klingon">'))).toEqual([
      ['DOCUMENT_ENCODING', 'a.html', 'declares the encoding klingon, which is not known'],
    ]);
    expect(await problemsOf('a.html', page('<meta charset="utf-8">'))).toMatchObject([
      ['DOCUMENT_ENCODING', 'a.html', expect.anything()],
    ]);
  });

  test('that is nested without end does not end the run', async () => {
    expect(await problemsOf('a.html', `${'<div>'.repeat(30_000)}text`)).toEqual([
      ['DOCUMENT_DAMAGED', 'a.html', 'is nested more than 1000 elements deep'],
    ]);
    const formats = Array.from({ length: 2000 }, (_, index) => `<b id="${index}">`).join('');
    expect(await problemsOf('a.html', formats + '<p>text'.repeat(2000))).toMatchObject([
      ['DOCUMENT_DAMAGED', 'a.html', expect.anything()],
    ]);
    expect(await passages('a.html', `${'<div>'.repeat(900)}text`)).toMatchObject([{ text: 'text' }]);
  });

  test('without text is none', async () => {
    expect(await problemsOf('a.html', '<title>Часы</title><script>1</script>')).toMatchObject([
      ['DOCUMENT_NO_TEXT', 'a.html', expect.anything()],
    ]);
  });
});

describe('questions and answers', () => {
  const line = (question: string, answer: string) => `${JSON.stringify({ question, answer, id: 7 })}\n`;

  test('are a passage each, under the question', async () => {
    const content = `\uFEFF${line('Что такое  гномон?', 'Стержень.\n\nОн отбрасывает тень.')}\r\n${line('Where?', 'In Jaipur.')}`;
    const { document, format } = await extract('docs/faq.jsonl', content);
    expect(format).toBe('pairs');
    expect(document).toMatchObject({ parsed: { title: 'faq' } });
    expect(await passages('docs/faq.jsonl', content)).toEqual([
      { heading: 'Что такое гномон?', text: 'Стержень.\n\nОн отбрасывает тень.', position: 0 },
      { heading: 'Where?', text: 'In Jaipur.', position: 0 },
    ]);
  });

  test('go in beside lines that are none, which are named by their number', async () => {
    const content = [
      line('Что?', 'То.'),
      '\n\n',
      'нет\n',
      '{"question":"Что?"}\n',
      '[1]\n',
      line('Где?', ' '),
      line('Как?', 'Так.'),
    ];
    const { document, problems } = await extract('faq.jsonl', content.join(''));
    expect(document).toMatchObject({ parsed: { root: { children: [{ heading: 'Что?' }, { heading: 'Как?' }] } } });
    expect(problems).toEqual([
      { code: 'DOCUMENT_LINE', file: 'faq.jsonl', line: 4, message: expect.stringContaining('is not JSON') },
      { code: 'DOCUMENT_LINE', file: 'faq.jsonl', line: 5, message: expect.stringContaining('answer') },
      { code: 'DOCUMENT_LINE', file: 'faq.jsonl', line: 6, message: expect.stringContaining('expected {"question"') },
      { code: 'DOCUMENT_LINE', file: 'faq.jsonl', line: 7, message: expect.stringContaining('answer is empty') },
    ]);
  });

  test('of which none is one', async () => {
    expect(await problemsOf('faq.jsonl', 'нет\n')).toMatchObject([['DOCUMENT_LINE', 'faq.jsonl', expect.anything()]]);
    expect(await problemsOf('faq.jsonl', '\n')).toMatchObject([['DOCUMENT_NO_TEXT', 'faq.jsonl', expect.anything()]]);
  });
});

describe('sizes', () => {
  test('the largest text is read, and one byte more is not', async () => {
    expect((await contentOf('a.txt', Buffer.alloc(LARGEST_TEXT, 'a')))?.length).toBe(LARGEST_TEXT);
    expect(await problemsOf('a.txt', Buffer.alloc(LARGEST_TEXT + 1, 'a'))).toEqual([
      ['DOCUMENT_TOO_LARGE', 'a.txt', `the file has ${LARGEST_TEXT + 1} bytes; it may have ${LARGEST_TEXT}`],
    ]);
  });

  test('a file that is too large is not read at all', async () => {
    const file = join(temporaryFolder(), 'a.pdf');
    writeFileSync(file, '');
    truncateSync(file, LARGEST_FILE.pdf + 1);
    expect((await extractDocument({ file, path: 'a.pdf' })).problems).toMatchObject([{ code: 'DOCUMENT_TOO_LARGE' }]);
  });

  test('what is in a page counts as text does', async () => {
    const content = `<p>${'слово '.repeat(LARGEST_TEXT / 10)}</p>`;
    expect(await problemsOf('a.html', content)).toMatchObject([
      ['DOCUMENT_TOO_LARGE', 'a.html', expect.stringContaining('its text has')],
    ]);
  });
});

test('a file that cannot be opened is told like the others', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'a.md'));
  for (const path of ['a.md', 'gone.md']) {
    expect((await extractDocument({ file: join(folder, path), path })).problems).toEqual([
      { code: 'INGEST_FAILED', file: path, message: expect.any(String), remedy: 'Check that you may read it.' },
    ]);
  }
});
