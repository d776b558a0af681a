import { createReadStream } from 'node:fs';

/** Longest line, in bytes: a passage of a book's length fits. */
const LONGEST_LINE = 16 * 1024 * 1024;

/** A line of a file, without its end. */
export interface Line {
  /** From 1 on. */
  readonly number: number;
  /** Undefined when its bytes are no UTF-8. */
  readonly text: string | undefined;
}

/**
 * The lines of a file that are not empty, one after the other, so that a file of any size takes the memory of a line.
 * A byte order mark is left out. Rejects when the file cannot be read, or a line is longer than 16 MiB.
 */
export async function* linesOf(file: string): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = 0;
  let begun: Buffer[] = [];
  let length = 0;
  const finish = (end: Buffer): Line => {
    const bytes = begun.length === 0 ? end : Buffer.concat([...begun, end]);
    begun = [];
    length = 0;
    number += 1;
    return { number, text: decoded(decoder, bytes) };
  };
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const line = finish(chunk.subarray(start, end));
      start = end + 1;
      if (line.text !== '') yield line;
    }
    const rest = chunk.subarray(start);
    length += rest.length;
    if (length > LONGEST_LINE) throw new Error(`line ${number + 1} has more than ${LONGEST_LINE} bytes`);
    if (rest.length > 0) begun.push(rest);
  }
  if (begun.length === 0) return;
  const last = finish(Buffer.alloc(0));
  if (last.text !== '') yield last;
}

function decoded(decoder: { decode(bytes: Buffer): string }, bytes: Buffer): string | undefined {
  try {
    // A decoder leaves out the mark at the beginning of each text that it is given.
    return decoder.decode(bytes).trimEnd();
  } catch {
    return undefined;
  }
}
