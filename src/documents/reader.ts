import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { abortReason } from '../rag/failure.js';
import { type DocumentFile, type Extraction, extractDocument, failedExtraction } from './extract.js';
import { type DocumentFormat, formatOf } from './formats.js';

/** Formats whose reading takes a library, and with it any time and memory. */
const APART: readonly DocumentFormat[] = ['html', 'pdf', 'docx'];

/** Beside this file: a module of the build, or a source, which needs its translator in every thread. */
const IS_SOURCE = import.meta.url.endsWith('.ts');
const THREAD = new URL(IS_SOURCE ? './thread.ts' : './thread.js', import.meta.url).href;
const TRANSLATOR = 'tsx/esm/api';
const START = IS_SOURCE
  ? `import(${JSON.stringify(TRANSLATOR)}).then(({ tsImport }) => tsImport(${JSON.stringify(THREAD)}, ${JSON.stringify(import.meta.url)}))`
  : `import(${JSON.stringify(THREAD)})`;

export interface DocumentReaderOptions {
  /** Longest time for one file, in milliseconds. @default 120000 */
  readonly timeoutMs?: number;
  /** Most memory of the thread, without the file itself, in MiB. @default 1024 */
  readonly memoryMiB?: number;
  /** Ends what is read. @default - only the timeout does */
  readonly signal?: AbortSignal;
}

/**
 * Reads documents, and outlives those that were made to keep a reader busy or to fill its memory: they are read in a
 * thread with limits, which the first of them starts. One at a time.
 */
export class DocumentReader {
  readonly #timeoutMs: number;
  readonly #memoryMiB: number;
  readonly #signal: AbortSignal | undefined;
  #thread: Promise<Worker> | undefined;

  constructor({ timeoutMs = 120_000, memoryMiB = 1024, signal }: DocumentReaderOptions = {}) {
    this.#signal = signal;
    this.#timeoutMs = timeoutMs;
    this.#memoryMiB = memoryMiB;
  }

  /** What became of the text of a file. Rejects with the reason of the signal, and never for what is in the file. */
  async extract(file: DocumentFile): Promise<Extraction> {
    const format = formatOf(file.path);
    if (format === undefined || !APART.includes(format)) return extractDocument(file);
    this.#thread ??= this.#start();
    const thread = await this.#thread;
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const signal = this.#signal ? AbortSignal.any([this.#signal, timeout]) : timeout;
    thread.postMessage(file);
    try {
      const [extraction] = await once(thread, 'message', { signal });
      return extraction as Extraction;
    } catch (error) {
      await this.close();
      if (this.#signal?.aborted) throw abortReason(this.#signal);
      if (timeout.aborted) {
        const message = `was not read within ${this.#timeoutMs / 1000} s`;
        return failedExtraction(file.path, { code: 'DOCUMENT_TIMEOUT', message });
      }
      if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY') {
        const message = `takes more than ${this.#memoryMiB} MiB of memory to read`;
        return failedExtraction(file.path, { code: 'DOCUMENT_TOO_LARGE', message });
      }
      return failedExtraction(file.path, {
        code: 'DOCUMENT_DAMAGED',
        message: `ended its reader: ${(error as Error).message}`,
      });
    }
  }

  /** Ends the thread; the next file starts another. */
  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await (await thread?.catch(() => undefined))?.terminate();
  }

  async #start(): Promise<Worker> {
    const thread = new Worker(START, {
      eval: true,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: this.#memoryMiB },
      // What a library prints is not ours to show.
      stdout: true,
      stderr: true,
    });
    // The failures that count are those that somebody waits for.
    thread.on('error', () => undefined);
    await once(thread, 'message');
    return thread;
  }
}
