import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Agent, fetch } from 'undici';
import { codeOf } from '../../rag/failure.js';
import { retry } from '../../rag/retry.js';
import type { Report } from './job.js';

const CONNECT_TIMEOUT_MS = 10_000;

/** Longest silence of the server, in milliseconds, before and inside the body. */
const IDLE_TIMEOUT_MS = 60_000;

/** How long a server is tried that never sent a byte, in milliseconds: a host without a way out should not wait long. */
const UNREACHABLE_MS = 120_000;

const PROGRESS_INTERVAL_MS = 10_000;

/** The server says that asking again will not help. */
export class DownloadRefused extends Error {}

/** One file, where it comes from and how it is recognised. */
export interface Download {
  readonly url: string;
  /** Absolute path; `.part` behind it holds what there is so far. */
  readonly file: string;
  /** What is sent along, such as an authorization; another host that the server redirects to is not shown that. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Says what is wrong with a file that is complete; undefined when it is the right one. */
  readonly fault: (part: string) => Promise<string | undefined>;
  readonly deadlineSeconds: number;
}

/** Downloads a file, going on where it was interrupted, and gives it its name when it is the right one. */
export async function download(wanted: Download, report: Report): Promise<void> {
  const part = `${wanted.file}.part`;
  const agent = downloadAgent();
  const began = performance.now();
  let received = 0;
  const attempt = async () => {
    const resumed = await fetchInto(part, wanted, agent, (bytes, total) => {
      received += bytes;
      progress(total);
    });
    const message = await wanted.fault(part);
    if (message === undefined) return;
    await rm(part);
    // The part that was there before may have been of another file.
    throw resumed ? new Error(message) : new DownloadRefused(message);
  };
  const progress = everyNow(PROGRESS_INTERVAL_MS, (total: string) => report(`downloading: ${total}`));
  try {
    await retry(attempt, {
      deadlineMs: wanted.deadlineSeconds * 1000,
      maxWaitMs: 10_000,
      isTransient: (error) =>
        !(error instanceof DownloadRefused) &&
        !['ENOSPC', 'EACCES', 'EROFS', 'ENOENT'].includes(codeOf(error)) &&
        (received > 0 || performance.now() - began < UNREACHABLE_MS),
      onRetry: (error) => report(`the download was interrupted and goes on: ${describeDownload(error)}`),
    });
  } finally {
    await agent.destroy();
  }
  await rename(part, wanted.file);
}

/** Connections that give up on a server that is silent. */
export function downloadAgent(): Agent {
  return new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: IDLE_TIMEOUT_MS,
    bodyTimeout: IDLE_TIMEOUT_MS,
  });
}

/** What a status means for who downloads: some pass by themselves, the others are final. */
export function refusalOf(status: number): Error {
  const message = `the server answered ${status}`;
  const retryable = status === 408 || status === 429 || status >= 500;
  return retryable ? new Error(message) : new DownloadRefused(message);
}

/** Adds to the file what it lacks. True when it held something before. */
async function fetchInto(
  part: string,
  { url, headers }: Download,
  agent: Agent,
  onBytes: (bytes: number, total: string) => void,
): Promise<boolean> {
  const output = await open(part, 'a');
  try {
    const start = (await output.stat()).size;
    const response = await fetch(url, {
      dispatcher: agent,
      // Compressed on the way, the bytes of a range would not be those of the file.
      headers: { ...headers, 'accept-encoding': 'identity', ...(start > 0 ? { range: `bytes=${start}-` } : {}) },
    });
    // Nothing lies beyond what is there: either it is complete, or the check will tell.
    if (response.status === 416 && start > 0) {
      await response.body?.cancel();
      return true;
    }
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      throw refusalOf(response.status);
    }
    const resumed = response.status === 206 && start > 0;
    if (resumed && !response.headers.get('content-range')?.startsWith(`bytes ${start}-`)) {
      await response.body.cancel();
      throw new DownloadRefused('the server answered with another range than it was asked for');
    }
    if (!resumed) await output.truncate(0);
    let size = resumed ? start : 0;
    const length = response.headers.get('content-length');
    const total = length === null ? undefined : size + Number(length);
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      await output.write(chunk);
      size += chunk.byteLength;
      onBytes(chunk.byteLength, `${mebibytes(size)}${total === undefined ? '' : ` of ${mebibytes(total)}`} MiB`);
    }
    if (total !== undefined && size < total) throw new Error(`the connection ended after ${size} of ${total} bytes`);
    await output.sync();
    return resumed;
  } finally {
    await output.close();
  }
}

/** SHA-256 of a file, in lower-case hexadecimal digits. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function everyNow<T>(intervalMs: number, action: (value: T) => void): (value: T) => void {
  let last = performance.now();
  return (value) => {
    const now = performance.now();
    if (now - last < intervalMs) return;
    last = now;
    action(value);
  };
}

function mebibytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(0);
}

/** fetch hides what happened behind "fetch failed". */
export function describeDownload(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause ? `${error.message} (${codeOf(error.cause)})` : error.message;
}
