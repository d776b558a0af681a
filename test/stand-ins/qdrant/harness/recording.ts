import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One recorded exchange with a real server, or a measurement (no method). */
export interface Recorded {
  readonly phase: string;
  readonly name: string;
  readonly method: string | null;
  readonly path: string | null;
  readonly request: unknown;
  /** The request's JSON as it stood in the recording: places in error messages depend on its spaces. */
  readonly requestText: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly status: number | null;
  readonly response: unknown;
  readonly responseHeaders: Readonly<Record<string, string>>;
}

export const recordings = fileURLToPath(new URL('../../../recordings/qdrant/', import.meta.url));

export function readRecording(): Recorded[] {
  return readFileSync(`${recordings}exchanges.jsonl`, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
}

function parseLine(line: string): Recorded {
  const fields = JSON.parse(line);
  return {
    phase: fields.phase,
    name: fields.name,
    method: fields.method,
    path: fields.path,
    request: fields.request,
    requestText: memberText(line, 'request'),
    requestHeaders: fields.request_headers ?? {},
    status: fields.status,
    response: fields.response,
    responseHeaders: fields.response_headers ?? {},
  };
}

/** The text of one member of an object that is known to be valid JSON. */
function memberText(object: string, name: string): string {
  let depth = 0;
  for (const { text, end } of tokens(object)) {
    if (depth === 1 && text === JSON.stringify(name) && object[end] === ':') {
      return valueText(object, end + 1);
    }
    depth += text === '{' || text === '[' ? 1 : text === '}' || text === ']' ? -1 : 0;
  }
  throw new Error(`no member '${name}' in ${object.slice(0, 80)}`);
}

function valueText(object: string, start: number): string {
  let depth = 0;
  for (const { text, end } of tokens(object, start)) {
    depth += text === '{' || text === '[' ? 1 : text === '}' || text === ']' ? -1 : 0;
    if (depth === 0) {
      return object.slice(start, end).trim();
    }
  }
  throw new Error('the value does not end');
}

function* tokens(json: string, start = 0): Generator<{ text: string; end: number }> {
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]]|[^\s"{}[\],:]+/g;
  token.lastIndex = start;
  for (let found = token.exec(json); found !== null; found = token.exec(json)) {
    yield { text: found[0], end: token.lastIndex };
  }
}
