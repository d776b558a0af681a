import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { SseDecoder } from '../../src/rag/llm/sse.js';

const FOLDER = new URL('../recordings/vllm/sse/', import.meta.url);

/** Every n-th offset of the longer recordings is split at; the prime keeps the offsets from falling into step. */
const LONGEST_WHOLE = 8000;
const STRIDE = 7;

/** The data lines of a recording, without the decoder. */
function expected(bytes: Buffer): string[] {
  return bytes
    .toString()
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => event.slice('data: '.length));
}

describe('SseDecoder', () => {
  test.each(readdirSync(FOLDER))('gives the same events of %s wherever the bytes are split', (name) => {
    const bytes = readFileSync(new URL(name, FOLDER));
    const wanted = expected(bytes);
    expect(wanted.length).toBeGreaterThan(1);
    const stride = bytes.length <= LONGEST_WHOLE ? 1 : STRIDE;
    for (let offset = 0; offset <= bytes.length; offset += stride) {
      const decoder = new SseDecoder();
      const found = [...decoder.push(bytes.subarray(0, offset)), ...decoder.push(bytes.subarray(offset))];
      if (found.join('\n') !== wanted.join('\n')) expect(found, `split at ${offset}`).toEqual(wanted);
    }
  });

  test('gives the same events byte by byte', () => {
    const bytes = readFileSync(new URL('completion_stream_emoji.sse', FOLDER));
    const decoder = new SseDecoder();
    const found = [...bytes].flatMap((byte) => decoder.push(Uint8Array.of(byte)));
    expect(found).toEqual(expected(bytes));
    expect(found.join('')).toContain('😌');
  });

  test('gives nothing for comments, and drops an event that was cut off', () => {
    const decoder = new SseDecoder();
    expect(decoder.push(Buffer.from(': keep-alive\n\ndata: {"a":1}\n\ndata: {"b"'))).toEqual(['{"a":1}']);
  });

  test('refuses an event without end before it fills the memory', () => {
    const decoder = new SseDecoder();
    const piece = Buffer.from(`data: ${'x'.repeat(100_000)}`);
    expect(() => {
      for (let count = 0; count < 20; count += 1) decoder.push(piece);
    }).toThrow(/buffer/i);
  });
});
