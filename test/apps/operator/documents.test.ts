import { expect, test } from 'vitest';
import { type DocumentsEvent, listed, removed, type StoredDocuments } from '../../../src/apps/operator/documents.js';

async function collect(events: AsyncIterable<DocumentsEvent>): Promise<DocumentsEvent[]> {
  const collected: DocumentsEvent[] = [];
  for await (const event of events) collected.push(event);
  return collected;
}

async function* lines(...all: readonly string[]): AsyncGenerator<string> {
  yield* all;
}

const store = (): StoredDocuments & { readonly asked: unknown[] } => {
  const asked: unknown[] = [];
  return {
    asked,
    list: async (course) => [{ source: `${course}.md`, title: 'Гномон', passages: 2 }],
    remove: async (key) => {
      asked.push(key);
      return 2;
    },
  };
};

test('a list has a line for each document of the course', async () => {
  expect(await collect(listed(store(), 'demo'))).toEqual([
    { event: 'document', path: 'demo.md', title: 'Гномон', chunks: 2 },
  ]);
});

test('a removal is of the course, and of names as they are', async () => {
  const stored = store();
  const name = 'строка\nи "кавычки".md';
  expect(await collect(removed(lines(JSON.stringify(name)), stored, 'demo'))).toEqual([
    { event: 'removed', path: name, chunks: 2 },
  ]);
  expect(stored.asked).toEqual([{ course: 'demo', source: name }]);
});

test.each(['{"course":"demo"}', 'null', 'a.md'])('%s names no document', async (line) => {
  const stored = store();
  await expect(collect(removed(lines(line), stored, 'demo'))).rejects.toThrow();
  expect(stored.asked).toEqual([]);
});
