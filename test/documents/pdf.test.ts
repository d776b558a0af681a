import { describe, expect, test } from 'vitest';
import { blocksOf, type Line, withoutRunningLines } from '../../src/documents/pdf-lines.js';
import { extract, fixture, passages } from './support/documents.js';

const problemsOf = async (name: string, content: Uint8Array = fixture(name)) => {
  const { document, problems } = await extract(name, content);
  expect(document).toBeUndefined();
  return problems.map(({ code, file, message }) => [code, file, message]);
};

describe('a PDF with text', () => {
  test('is cut by pages, without the lines that all of them have', async () => {
    expect(await passages('lecture.pdf')).toEqual([
      {
        heading: 'стр. 1',
        text: [
          'Гномон',
          '',
          'Гномон отбрасывает тень на циферблат. Его наклон равен широте места, поэтому часы одного города врут в другом.',
          '',
          'Второй абзац говорит о полудне: тень короче всего.',
        ].join('\n'),
        position: 0,
      },
      { heading: 'стр. 2', text: 'Уравнение времени достигает шестнадцати минут в ноябре.', position: 0 },
      { heading: 'стр. 3', text: 'Наклон оси Земли составляет 23,4 градуса.', position: 0 },
    ]);
  });

  test('has the title that its author gave it', async () => {
    const { document, format, notes } = await extract('lecture.pdf', fixture('lecture.pdf'));
    expect(document).toMatchObject({ path: 'lecture.pdf', parsed: { title: 'Лекция о солнечных часах' } });
    expect({ format, notes }).toEqual({ format: 'pdf', notes: [] });
  });

  test('is read though it may not be printed', async () => {
    expect(await passages('owner-password.pdf')).toMatchObject([
      { heading: 'стр. 1', text: 'Читать можно, печатать нельзя.' },
    ]);
  });
});

describe('what cannot be read is named', () => {
  test('pages that are pictures', async () => {
    expect(await problemsOf('scanned.pdf')).toEqual([
      ['DOCUMENT_NO_TEXT', 'scanned.pdf', 'has no text layer: its pages are pictures, or empty'],
    ]);
  });

  test('a password', async () => {
    expect(await problemsOf('encrypted.pdf')).toEqual([
      ['DOCUMENT_ENCRYPTED', 'encrypted.pdf', 'opens with a password only'],
    ]);
  });

  test.each([
    ['rubbish', Buffer.from('%PDF-1.7\nrubbish')],
    ['half a file', fixture('lecture.pdf').subarray(0, 9000)],
    ['nothing', Buffer.alloc(0)],
  ])('%s', async (_name, content) => {
    expect(await problemsOf('broken.pdf', content)).toEqual([
      ['DOCUMENT_DAMAGED', 'broken.pdf', expect.stringMatching(/^is no whole PDF: ./)],
    ]);
  });
});

describe('lines of a page', () => {
  const line = (text: string, y: number, height = 10): Line => ({ text, y, height });

  test('become paragraphs by their distance, their size and their column', () => {
    expect(
      blocksOf([
        line('Заголовок', 700, 16),
        line('Первая строка длинного абзаца, которая', 680),
        line('продолжается.', 668),
        line('Второй абзац.', 640),
        line('Вторая колонка.', 680),
      ]),
    ).toEqual([
      'Заголовок',
      'Первая строка длинного абзаца, которая продолжается.',
      'Второй абзац.',
      'Вторая колонка.',
    ]);
  });

  test('make a cut word whole, and keep short lines apart', () => {
    expect(
      blocksOf([line('Список того, что нужно для солнечных ча-', 700), line('сов:', 688), line('гномон', 676)]),
    ).toEqual(['Список того, что нужно для солнечных часов:\nгномон']);
  });

  test('stay when few pages share them', () => {
    const pages = [1, 2, 3, 4, 5, 6].map((page) => [
      line('Курс', 800),
      line(page < 3 ? 'Повтор' : `Текст ${'а'.repeat(page)}`, 700),
    ]);
    expect(withoutRunningLines(pages).map((page) => page.map(({ text }) => text))).toEqual([
      ['Повтор'],
      ['Повтор'],
      ...[3, 4, 5, 6].map((page) => [`Текст ${'а'.repeat(page)}`]),
    ]);
  });
});
