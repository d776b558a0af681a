import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { Agent, fetch } from 'undici';
import { codeOf } from '../../rag/failure.js';
import { retry } from '../../rag/retry.js';
import { readSettings, readVariables } from '../settings-file.js';
import { JobFailure, type Report } from './job.js';
import { JOB_SETTINGS_VARIABLE, ModelSettings } from './settings.js';

const CONNECT_TIMEOUT_MS = 10_000;

/** Longest silence of the server, in milliseconds, before and inside the body. */
const IDLE_TIMEOUT_MS = 60_000;

/** How long a server is tried that never sent a byte, in milliseconds: a host without a way out should not wait long. */
const UNREACHABLE_MS = 120_000;

const PROGRESS_INTERVAL_MS = 10_000;

/** Readable for every user: the server that loads the model is not the one that downloads it. */
const MODE = 0o644;

/** The server says that asking again will not help. */
class DownloadRefused extends Error {}

/** The command `job-model`. */
export async function runModel(environment: NodeJS.ProcessEnv, report: Report): Promise<void> {
  const { settings } = readVariables(environment, { settings: JOB_SETTINGS_VARIABLE }, { settings: 'path' });
  await provideModel(readSettings(settings, ModelSettings), report);
}

/**
 * Puts the model's file in its place and proves its SHA-256: what is there already is checked, what is missing is
 * downloaded, with what an interrupted download left as a start.
 */
export async function provideModel(settings: ModelSettings, report: Report): Promise<void> {
  const { file, sha256 } = settings;
  if (await isVerified(settings, report)) {
    report(`${file} is there and has the SHA-256 ${sha256}`);
    return;
  }
  try {
    await download(settings, report);
  } catch (error) {
    throw new JobFailure(
      `the model ${settings.url} was not put into ${file}: ${describe(error)}; check the address, or bring the file in from ` +
        'this machine with `ragdock model import`',
      { cause: error },
    );
  }
  await seal(settings);
  report(`${file} was downloaded and has the SHA-256 ${sha256}`);
}

async function isVerified({ file, sha256 }: ModelSettings, report: Report): Promise<boolean> {
  const found = await stat(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (!found) return false;
  // Gigabytes are read once: size and time of a file that was proved stand for its content.
  const fingerprint = JSON.stringify({ sha256, size: found.size, modified: found.mtimeMs });
  if ((await readFile(sidecarOf(file), 'utf8').catch(() => '')) === fingerprint) return true;
  const actual = await sha256Of(file);
  if (actual !== sha256) {
    report(`${file} has the SHA-256 ${actual}, not ${sha256}; it will be replaced`);
    return false;
  }
  await seal({ file, sha256 });
  return true;
}

/** Remembers that the file was proved, and lets everybody read it. */
async function seal({ file, sha256 }: Pick<ModelSettings, 'file' | 'sha256'>): Promise<void> {
  const found = await stat(file);
  if ((found.mode & 0o777) !== MODE) await chmod(file, MODE);
  await writeFile(sidecarOf(file), JSON.stringify({ sha256, size: found.size, modified: found.mtimeMs }));
}

function sidecarOf(file: string): string {
  return `${file}.verified`;
}

async function download(settings: ModelSettings, report: Report): Promise<void> {
  const part = `${settings.file}.part`;
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: IDLE_TIMEOUT_MS,
    bodyTimeout: IDLE_TIMEOUT_MS,
  });
  const began = performance.now();
  let received = 0;
  const attempt = async () => {
    const resumed = await fetchInto(part, settings.url, agent, (bytes, total) => {
      received += bytes;
      progress(total);
    });
    const actual = await sha256Of(part);
    if (actual === settings.sha256) return;
    await rm(part);
    const message = `what was downloaded has the SHA-256 ${actual}, not ${settings.sha256}`;
    // The part that was there before may have been of another file.
    throw resumed ? new Error(message) : new DownloadRefused(message);
  };
  const progress = everyNow(PROGRESS_INTERVAL_MS, (total: string) => report(`downloading: ${total}`));
  try {
    await retry(attempt, {
      deadlineMs: settings.deadlineSeconds * 1000,
      maxWaitMs: 10_000,
      isTransient: (error) =>
        !(error instanceof DownloadRefused) &&
        !['ENOSPC', 'EACCES', 'EROFS', 'ENOENT'].includes(codeOf(error)) &&
        (received > 0 || performance.now() - began < UNREACHABLE_MS),
      onRetry: (error) => report(`the download was interrupted and goes on: ${describe(error)}`),
    });
  } finally {
    await agent.destroy();
  }
  await rename(part, settings.file);
}

/** Adds to the file what it lacks. True when it held something before. */
async function fetchInto(
  part: string,
  url: string,
  agent: Agent,
  onBytes: (bytes: number, total: string) => void,
): Promise<boolean> {
  const output = await open(part, 'a');
  try {
    const start = (await output.stat()).size;
    const response = await fetch(url, {
      dispatcher: agent,
      // Compressed on the way, the bytes of a range would not be those of the file.
      headers: { 'accept-encoding': 'identity', ...(start > 0 ? { range: `bytes=${start}-` } : {}) },
    });
    // Nothing lies beyond what is there: either it is complete, or the SHA-256 will tell.
    if (response.status === 416 && start > 0) {
      await response.body?.cancel();
      return true;
    }
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      const message = `the server answered ${response.status}`;
      const retryable = response.status === 408 || response.status === 429 || response.status >= 500;
      throw retryable ? new Error(message) : new DownloadRefused(message);
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

async function sha256Of(file: string): Promise<string> {
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
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause ? `${error.message} (${codeOf(error.cause)})` : error.message;
}
