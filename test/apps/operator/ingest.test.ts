import { describe, expect, test } from 'vitest';
import { type IngestEvent, ingestLines } from '../../../src/apps/operator/ingest.js';
import { readLines } from '../../../src/apps/operator/lines.js';
import { MemoryStore } from '../../support/rag-parts.js';

async function* bytes(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

describe('readLines', () => {
  test('gives the same lines wherever the bytes are split, also inside a letter', async () => {
    const all = Buffer.from('первая\n\nвторая 😀\nтретья');
    for (let offset = 0; offset <= all.length; offset += 1) {
      const lines = await collect(readLines(bytes(all.subarray(0, offset), all.subarray(offset))));
      expect(lines).toEqual(['первая', 'вторая 😀', 'третья']);
    }
  });
});

describe('ingestLines', () => {
  const line = (path: string, content: string) => `${JSON.stringify({ path, content })}\n`;

  test('takes documents that were cut into sections elsewhere', async () => {
    const store = new MemoryStore();
    const stored: number[] = [];
    const section = { heading: 'стр. 1', headingLine: '', blocks: ['Текст.'], children: [] };
    const parsed = {
      title: 'Лекция',
      root: { heading: '', headingLine: '', blocks: [], children: [section] },
      apart: true,
    };
    const input = readLines(
      bytes(
        `${JSON.stringify({ path: 'a.pdf', parsed })}\n`,
        `${JSON.stringify({ path: 'b.pdf', parsed: { title: 'x', root: {} } })}\n`,
      ),
    );
    const events = await collect(ingestLines(input, store, 'demo', (count) => stored.push(count)));
    expect(events).toMatchObject([
      { event: 'document', path: 'a.pdf', chunks: 1, status: 'new' },
      { event: 'document', path: '(line 2 of the input)', status: 'failed' },
      { event: 'done', new: 1, failed: 1 },
    ]);
    expect([...store.passages.values()]).toMatchObject([
      { source: 'a.pdf', title: 'Лекция', heading: 'стр. 1', text: 'Текст.' },
    ]);
    expect(stored).toEqual([1]);
  });

  test('tells what became of each document, and counts at the end', async () => {
    const store = new MemoryStore();
    const input = () =>
      readLines(bytes(line('a.md', '# Курс\n\nТекст.'), line('b.pdf', '%PDF'), '{"path":1}\n', 'rubbish\n'));
    const byPath = (all: IngestEvent[]) =>
      all
        .filter(({ event }) => event === 'document')
        .sort((a, b) => ('path' in a && 'path' in b && a.path < b.path ? -1 : 1));
    const first = await collect(ingestLines(input(), store, 'demo'));
    expect(byPath(first)).toEqual([
      {
        event: 'document',
        path: '(line 3 of the input)',
        chunks: 0,
        status: 'failed',
        error: expect.stringContaining('"path"'),
      },
      {
        event: 'document',
        path: '(line 4 of the input)',
        chunks: 0,
        status: 'failed',
        error: expect.stringContaining('"path"'),
      },
      { event: 'document', path: 'a.md', chunks: 1, status: 'new' },
      {
        event: 'document',
        path: 'b.pdf',
        chunks: 0,
        status: 'failed',
        error: expect.stringContaining('not supported'),
      },
    ]);
    expect(first.at(-1)).toEqual({ event: 'done', new: 1, updated: 0, unchanged: 0, failed: 3, chunks: 1 });

    const second = await collect(ingestLines(input(), store, 'demo'));
    expect(second.at(-1)).toEqual({ event: 'done', new: 0, updated: 0, unchanged: 1, failed: 3, chunks: 1 });
  });
});
