/** Longest line that is read, in characters; a document and its JSON fit many times. */
const LONGEST_LINE = 64 * 1024 * 1024;

/** Lines of a stream of bytes, without their ends; empty ones are left out. */
export async function* readLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of input) {
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE) throw new Error(`a line of the input is longer than ${LONGEST_LINE} characters`);
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield rest;
}

/** One event as a line of JSON. */
export function formatEvent(event: object): string {
  return `${JSON.stringify(event)}\n`;
}
