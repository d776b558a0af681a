import { setTimeout as delay } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import type { Script } from './protocol.js';

/** Where answers are asked for: of the model itself, or of the API in front of it. */
export interface Way {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What the first bytes with a token have in them. */
  readonly marker: Buffer;
  /** Bytes of a whole answer. @default - not known */
  readonly bytes?: number;
}

/** What came of one question, in milliseconds. */
export interface Answered {
  readonly firstMs: number;
  readonly totalMs: number;
}

/**
 * Keeps so many streams open for a while: each is followed by the next. They begin spread over the length of one, so
 * that they do not all ask at once; what ended within the time is told.
 */
export async function keepOpen(
  way: Way,
  agent: Dispatcher,
  streams: number,
  script: Script,
  ms: number,
): Promise<Answered[]> {
  const answered: Answered[] = [];
  const lengthMs = script.firstMs + script.intervalMs * (script.tokens - 1);
  // The first length is not counted: streams are still coming.
  const from = performance.now() + lengthMs;
  const until = from + ms;
  const worker = async (number: number) => {
    await delay((number / streams) * lengthMs);
    while (performance.now() < until) {
      const began = performance.now();
      const one = await ask(way, agent);
      if (began >= from && began <= until) answered.push(one);
    }
  };
  await Promise.all(Array.from({ length: streams }, (_, number) => worker(number)));
  return answered;
}

/** One question to its last byte. Throws unless the answer is whole. */
export async function ask({ url, headers, body, marker, bytes }: Way, agent: Dispatcher): Promise<Answered> {
  const began = performance.now();
  const response = await request(url, { dispatcher: agent, method: 'POST', headers, body });
  let firstMs: number | undefined;
  let length = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    if (firstMs === undefined && chunk.includes(marker)) firstMs = performance.now() - began;
    length += chunk.length;
  }
  const totalMs = performance.now() - began;
  if (response.statusCode !== 200 || firstMs === undefined || (bytes !== undefined && length !== bytes)) {
    throw new Error(`${url} answered ${response.statusCode} with ${length} bytes`);
  }
  return { firstMs, totalMs };
}
