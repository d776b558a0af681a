import { describe, expect, test } from 'vitest';
import { extract, fixture, passages } from './support/documents.js';
import { zipOf } from './support/zip.js';

const problemsOf = async (content: Uint8Array) => {
  const { document, problems } = await extract('a.docx', content);
  expect(document).toBeUndefined();
  return problems.map(({ code, message }) => [code, message]);
};

const CONTENT_TYPES = `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
  <Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`;
const RELATIONS = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`;
const body = (text: string) =>
  `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>${text}</w:t></w:r></w:p></w:body></w:document>`;
const word = (documentXml: string | Buffer, declared?: number) =>
  zipOf([
    { name: '[Content_Types].xml', data: CONTENT_TYPES },
    { name: '_rels/.rels', data: RELATIONS },
    { name: 'word/document.xml', data: documentXml, ...(declared === undefined ? {} : { declared }) },
  ]);

describe('a document of Word', () => {
  test('keeps its title, headings, lists and tables', async () => {
    const { document } = await extract('lecture.docx', fixture('lecture.docx'));
    expect(document).toMatchObject({ parsed: { title: 'Солнечные часы' } });
    expect(await passages('lecture.docx')).toEqual([
      {
        heading: '',
        text: [
          '# Солнечные часы',
          '# Гномон',
          'Гномон отбрасывает тень.',
          '## Виды',
          '- горизонтальные\n  - с полярной осью\n- вертикальные',
          '# Широты',
          '| Город | Широта |\n| --- | --- |\n| Москва | 55,8° |\n| Джайпур | 26,9° |',
          'После таблицы.',
        ].join('\n\n'),
        position: 0,
      },
    ]);
  });

  test('is read in its smallest form', async () => {
    expect(await passages('a.docx', word(body('Тень гномона')))).toMatchObject([{ text: 'Тень гномона' }]);
  });
});

describe('what cannot be read is named', () => {
  test.each([
    ['rubbish', Buffer.from('PK rubbish')],
    ['nothing', Buffer.alloc(0)],
    ['half an archive', fixture('lecture.docx').subarray(0, 5000)],
    ['broken XML', word('<w:document')],
    ['another archive', zipOf([{ name: 'a.txt', data: 'a' }])],
  ])('%s', async (_name, content) => {
    expect(await problemsOf(content)).toEqual([['DOCUMENT_DAMAGED', expect.stringMatching(/./)]]);
  });

  test('a password', async () => {
    const wrapped = Buffer.concat([
      Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]),
      Buffer.alloc(512),
      Buffer.from('EncryptedPackage', 'utf16le'),
    ]);
    expect(await problemsOf(wrapped)).toEqual([['DOCUMENT_ENCRYPTED', 'opens with a password only']]);
  });

  test('an older document under a newer name', async () => {
    expect(await problemsOf(Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]))).toEqual([
      ['DOCUMENT_DAMAGED', 'is a document of Word 97 to 2003 under a newer name'],
    ]);
  });

  test('no text', async () => {
    expect(await problemsOf(word(body(' ')))).toEqual([['DOCUMENT_NO_TEXT', 'holds no text']]);
  });

  test.each([
    ['says so', undefined],
    ['says that it is small', 100],
  ])('an archive that unpacks to more than memory holds, and %s', async (_name, declared) => {
    const bomb = word(Buffer.alloc(64 * 1024 * 1024, 'a'), declared);
    expect(bomb.length).toBeLessThan(200_000);
    expect(await problemsOf(bomb)).toEqual([
      ['DOCUMENT_TOO_LARGE', 'its text takes more than 16777216 bytes when it is unpacked'],
    ]);
  });
});
