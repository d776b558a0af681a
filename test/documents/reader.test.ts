import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { DocumentReader } from '../../src/documents/reader.js';
import { temporaryFolder } from '../support/folder.js';
import { fixture } from './support/documents.js';

let reader: DocumentReader | undefined;

afterEach(() => reader?.close());

function put(path: string, content: string | Uint8Array) {
  const file = join(temporaryFolder(), path);
  writeFileSync(file, content);
  return { file, path };
}

test('reads documents of every kind, one after the other', async () => {
  reader = new DocumentReader();
  expect(await reader.extract(put('lecture.pdf', fixture('lecture.pdf')))).toMatchObject({
    format: 'pdf',
    document: { parsed: { title: 'Лекция о солнечных часах' } },
  });
  expect(await reader.extract(put('a.html', '<h1>Тень</h1>'))).toMatchObject({
    document: { parsed: { title: 'Тень' } },
  });
  expect(await reader.extract(put('a.md', 'Тень'))).toMatchObject({ document: { content: 'Тень' } });
  expect((await reader.extract(put('b.pdf', 'rubbish'))).problems).toMatchObject([
    { code: 'DOCUMENT_DAMAGED', file: 'b.pdf' },
  ]);
  expect((await reader.extract(put('scanned.pdf', fixture('scanned.pdf')))).problems).toMatchObject([
    { code: 'DOCUMENT_NO_TEXT' },
  ]);
});

test('gives up a document that takes too long, and reads the next', async () => {
  reader = new DocumentReader({ timeoutMs: 3000 });
  // What does not belong into a table is put before it, one by one: the time grows with the square.
  expect(await reader.extract(put('slow.html', `<table>${'<li>a'.repeat(2_000_000)}`))).toEqual({
    path: 'slow.html',
    format: 'html',
    problems: [{ code: 'DOCUMENT_TIMEOUT', file: 'slow.html', message: 'was not read within 3 s' }],
    notes: [],
  });
  expect(await reader.extract(put('a.html', '<p>Тень'))).toMatchObject({ problems: [], document: { path: 'a.html' } });
});

test('gives up a document that fills the memory, and reads the next', async () => {
  reader = new DocumentReader({ memoryMiB: 80 });
  expect((await reader.extract(put('large.html', '<p>a'.repeat(2_000_000)))).problems).toEqual([
    { code: 'DOCUMENT_TOO_LARGE', file: 'large.html', message: 'takes more than 80 MiB of memory to read' },
  ]);
  expect(await reader.extract(put('a.html', '<p>Тень'))).toMatchObject({ problems: [], document: { path: 'a.html' } });
});

test('ends with the reason of the signal', async () => {
  const interrupt = new AbortController();
  reader = new DocumentReader({ signal: interrupt.signal });
  await reader.extract(put('a.html', '<p>Тень'));
  const reading = reader.extract(put('slow.html', `<table>${'<li>a'.repeat(2_000_000)}`));
  interrupt.abort(new Error('enough'));
  await expect(reading).rejects.toThrow('enough');
});
