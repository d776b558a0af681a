import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import type { Script } from './protocol.js';

/** Where answers are asked for: of the model itself, or of the API in front of it. */
export interface Way {
  readonly origin: string;
  readonly path: string;
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
  readonly bytes: number;
}

/** What came of many within a time. */
export interface Received {
  /** Answers that began within it. */
  readonly answered: readonly Answered[];
  /** Bytes that came within it, of whatever answer. */
  readonly bytes: number;
  /** Answers that broke off, or were refused. */
  readonly broken: number;
}

/**
 * Keeps so many streams open for a while: each is followed by the next. They begin spread over the length of one, so
 * that they do not all ask at once. The first length is not counted: streams are still coming.
 */
export async function keepOpen(
  way: Way,
  agent: Dispatcher,
  streams: number,
  script: Script,
  ms: number,
  onWindow: () => Promise<void>,
): Promise<Received> {
  const answered: Answered[] = [];
  let bytes = 0;
  let broken = 0;
  const lengthMs = script.firstMs + script.intervalMs * (script.tokens - 1);
  const from = performance.now() + lengthMs;
  const until = from + ms;
  const count = (length: number) => {
    const now = performance.now();
    if (now >= from && now <= until) bytes += length;
  };
  const worker = async (number: number) => {
    await delay((number / streams) * lengthMs);
    while (performance.now() < until) {
      const began = performance.now();
      const one = await ask(way, agent, count).catch(() => undefined);
      if (!one) broken += 1;
      else if (began >= from && began <= until) answered.push(one);
    }
  };
  const edges = [lengthMs, lengthMs + ms].map((at) => delay(at).then(onWindow));
  await Promise.all([...edges, ...Array.from({ length: streams }, (_, number) => worker(number))]);
  return { answered, bytes, broken };
}

/** So many questions in the same moment. */
export function burst(way: Way, agent: Dispatcher, streams: number): Promise<Answered[]> {
  return Promise.all(Array.from({ length: streams }, () => ask(way, agent)));
}

/**
 * One question to its last byte. Rejects unless the answer is whole. Bytes are looked at as they come in, without a
 * stream between: what the client costs is lost to the other two processes.
 */
export function ask(
  { origin, path, headers, body, marker, bytes }: Way,
  agent: Dispatcher,
  onBytes: (length: number) => void = () => undefined,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    let status = 0;
    let firstMs: number | undefined;
    let length = 0;
    agent.dispatch(
      { origin, path, method: 'POST', headers, body },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, code) => {
          status = code;
        },
        onResponseData: (_controller, chunk) => {
          if (firstMs === undefined && chunk.includes(marker)) firstMs = performance.now() - began;
          length += chunk.length;
          onBytes(chunk.length);
        },
        onResponseEnd: () => {
          const totalMs = performance.now() - began;
          if (status !== 200 || firstMs === undefined || (bytes !== undefined && length !== bytes)) {
            reject(new Error(`${origin}${path} answered ${status} with ${length} bytes`));
          } else resolve({ firstMs, totalMs, bytes: length });
        },
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });
}
