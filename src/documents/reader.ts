import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { abortReason } from '../rag/failure.js';
import { type DocumentFile, type Extraction, extractDocument, failedExtraction } from './extract.js';
import { type DocumentFormat, formatOf } from './formats.js';

/** Formats whose reading takes a library, and with it any time and memory. */
const APART: readonly DocumentFormat[] = ['html', 'pdf', 'docx'];

/** Beside this file: a module of the build, or a source, which needs its translator in every process. */
const IS_SOURCE = import.meta.url.endsWith('.ts');
const PROGRAM = fileURLToPath(new URL(`./reading-process.${IS_SOURCE ? 'ts' : 'js'}`, import.meta.url));
const translator = (): readonly string[] =>
  IS_SOURCE ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : [];

/** How a process ends whose heap is full: by the signal, or by the code that a shell makes of it. */
const HEAP_FULL = { signal: 'SIGABRT', code: 134 } as const;

export interface DocumentReaderOptions {
  /** Longest time for one file, in milliseconds. @default 120000 */
  readonly timeoutMs?: number;
  /** Most memory of the process' heap, without the file itself, in MiB. @default 1024 */
  readonly memoryMiB?: number;
  /** Ends what is read. @default - only the timeout does */
  readonly signal?: AbortSignal;
}

/**
 * Reads documents, and outlives those that were made to keep a reader busy or to fill its memory: they are read in a
 * process with limits, which the first of them starts. One at a time. A thread would not do: one whose heap is full can
 * take the whole process with it.
 */
export class DocumentReader {
  readonly #timeoutMs: number;
  readonly #memoryMiB: number;
  readonly #signal: AbortSignal | undefined;
  #process: Promise<ChildProcess> | undefined;

  constructor({ timeoutMs = 120_000, memoryMiB = 1024, signal }: DocumentReaderOptions = {}) {
    this.#signal = signal;
    this.#timeoutMs = timeoutMs;
    this.#memoryMiB = memoryMiB;
  }

  /** What became of the text of a file. Rejects with the reason of the signal, and never for what is in the file. */
  async extract(file: DocumentFile): Promise<Extraction> {
    const format = formatOf(file.path);
    if (format === undefined || !APART.includes(format)) return extractDocument(file);
    this.#process ??= this.#start();
    const child = await this.#process;
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const signal = this.#signal ? AbortSignal.any([this.#signal, timeout]) : timeout;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    try {
      const answer = once(child, 'message', { signal: either }).then(([extraction]) => extraction as Extraction);
      const end = once(child, 'exit', { signal: either }).then(([code, name]) => this.#failure(file, code, name));
      // Whichever comes second is given up, and nobody waits for it.
      answer.catch(() => undefined);
      end.catch(() => undefined);
      child.send(file);
      const first = await Promise.race([answer, end]);
      if (child.exitCode !== null || child.signalCode !== null) await this.close();
      return first;
    } catch {
      await this.close();
      if (this.#signal?.aborted) throw abortReason(this.#signal);
      const message = `was not read within ${this.#timeoutMs / 1000} s`;
      return failedExtraction(file.path, { code: 'DOCUMENT_TIMEOUT', message });
    } finally {
      over.abort();
    }
  }

  #failure({ path }: DocumentFile, code: number | null, signal: NodeJS.Signals | null): Extraction {
    if (code === HEAP_FULL.code || signal === HEAP_FULL.signal) {
      const message = `takes more than ${this.#memoryMiB} MiB of memory to read`;
      return failedExtraction(path, { code: 'DOCUMENT_TOO_LARGE', message });
    }
    const message = `ended its reader: ${signal ?? `exit code ${code}`}`;
    return failedExtraction(path, { code: 'DOCUMENT_DAMAGED', message });
  }

  /** Ends the process; the next file starts another. */
  async close(): Promise<void> {
    const starting = this.#process;
    this.#process = undefined;
    const child = await starting?.catch(() => undefined);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(PROGRAM, {
      execArgv: [`--max-old-space-size=${this.#memoryMiB}`, ...translator()],
      serialization: 'advanced',
      // What a library prints is not ours to show.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    // The failures that count are those that somebody waits for.
    child.on('error', () => undefined);
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code, name]) => {
        throw new Error(`the reader of documents did not start: ${name ?? `exit code ${code}`}`);
      }),
    ]);
    return child;
  }
}
