import { describe, expect, test } from 'vitest';
import { CitationFilter } from '../../src/rag/citations.js';
import type { Llm, LlmEvent } from '../../src/rag/ports.js';
import { openAnswer } from '../../src/rag/stream.js';

const PROMPT = { messages: [], question: '', passages: [] };
const END = { type: 'end', finishReason: 'length', usage: undefined } as const;

/** A model that says so much, and then does what is left. */
function saying(pieces: readonly string[], last: () => LlmEvent): Llm {
  return {
    model: 'saying',
    async *chat() {
      for (const text of pieces) yield { type: 'text', text };
      yield last();
    },
    check: async () => undefined,
    close: async () => undefined,
  };
}

const open = (pieces: readonly string[], last: () => LlmEvent = () => END) =>
  openAnswer(saying(pieces, last), PROMPT, new CitationFilter(3), new AbortController().signal);

async function read(rest: AsyncIterable<LlmEvent>): Promise<string[]> {
  const read: string[] = [];
  for await (const event of rest) read.push(event.type === 'text' ? event.text : event.finishReason);
  return read;
}

describe('an answer', () => {
  test('comes without the citations of what is not there, and ends as the model did', async () => {
    const { first, rest } = await open(['Да ', '[', '9', ']', ' и', ' нет [2']);
    expect([first, ...(await read(rest))]).toEqual(['Да', ' и', ' нет', ' [2', 'length']);
  });

  test('begins with its first character', async () => {
    const { first, rest } = await open(['\n', ' ', 'Да', '.']);
    expect([first, ...(await read(rest))]).toEqual(['\n Да', '.', 'length']);
  });

  test('may be what was held back to its end', async () => {
    const { first, rest } = await open(['[2']);
    expect([first, ...(await read(rest))]).toEqual(['[2', 'length']);
  });

  test('without a character is none', async () => {
    await expect(open([' ', '\n'])).rejects.toMatchObject({ kind: 'llm-failed' });
  });

  test('that fails fails here', async () => {
    const { rest } = await open(['Да'], () => {
      throw new Error('broken');
    });
    await expect(read(rest)).rejects.toThrow('broken');
  });
});
